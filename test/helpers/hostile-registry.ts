// An OCI registry on loopback that offers whatever a test wants, true or not, and notes what was asked for.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface OfferedFile {
  /** Undefined leaves the annotation out. */
  path: string | undefined;
  content: string | Buffer;
  /** What the manifest says in place of the truth. */
  size?: number;
  digest?: string;
  mediaType?: string;
}

export interface Offered {
  files: OfferedFile[];
  /** Changes the manifest before it is written out. */
  change?(manifest: Record<string, unknown>): void;
  /** Sent in place of the manifest. */
  manifest?: string | Buffer;
  manifestType?: string;
  /** Said about the manifest in Docker-Content-Digest. */
  toldDigest?: string;
  referrers?: unknown[];
  /** What comes for a blob in place of its bytes. */
  blob?(digest: string, bytes: Buffer): Buffer;
}

const digestOf = (bytes: string | Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** @returns the host with its port, the digest of the manifest, and all paths that were asked for. */
export async function startHostileRegistry(
  offered: Offered,
): Promise<{ host: string; digest: string; asked: string[] }> {
  const blobs = new Map<string, Buffer>();
  const layers = offered.files.map(
    ({ path, content, size, digest, mediaType = "application/vnd.cncf.model.weight.v1.raw" }) => {
      const bytes = Buffer.from(content);
      const named = digest ?? digestOf(bytes);
      blobs.set(named, bytes);
      const annotations = path === undefined ? {} : { annotations: { "org.cncf.model.filepath": path } };
      return { mediaType, digest: named, size: size ?? bytes.length, ...annotations };
    },
  );
  blobs.set(digestOf("{}"), Buffer.from("{}"));
  const manifest: Record<string, unknown> = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    artifactType: "application/vnd.cncf.model.manifest.v1+json",
    config: { mediaType: "application/vnd.cncf.model.config.v1+json", digest: digestOf("{}"), size: 2 },
    layers,
  };
  offered.change?.(manifest);
  const text = offered.manifest ?? JSON.stringify(manifest);
  const asked: string[] = [];
  const server = createServer(({ url = "" }, reply) => {
    asked.push(url);
    const blob = blobs.get(url.split("/blobs/")[1] ?? "");
    if (url.includes("/manifests/v1"))
      reply
        .writeHead(200, {
          "Content-Type": offered.manifestType ?? String(manifest.mediaType),
          "Docker-Content-Digest": offered.toldDigest ?? digestOf(text),
        })
        .end(text);
    else if (url.includes("/referrers/") && offered.referrers !== undefined)
      reply.writeHead(200).end(JSON.stringify({ manifests: offered.referrers }));
    else if (blob !== undefined) reply.writeHead(200).end(offered.blob?.(url.split("/blobs/")[1] ?? "", blob) ?? blob);
    else reply.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, digest: digestOf(text), asked };
}
