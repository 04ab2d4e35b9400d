// The reading half of an OCI registry on loopback, from memory. It reads with calls of the main thread, so that none of its own is counted.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const INDEX = "application/vnd.oci.image.index.v1+json";

/** Serves the version under `latest` of a local registry and what is said of it. @returns `127.0.0.1:port` */
export async function serveRegistry(root) {
  const blobs = new Map();
  for (const name of readdirSync(join(root, "blobs", "sha256")))
    blobs.set(`sha256:${name}`, readFileSync(join(root, "blobs", "sha256", name)));
  const { manifests } = JSON.parse(readFileSync(join(root, "index.json"), "utf8"));
  const tagged = manifests.find(({ annotations }) =>
    annotations?.["org.opencontainers.image.ref.name"]?.endsWith(":latest"),
  );
  const about = manifests.filter((entry) => {
    const { subject } = JSON.parse(blobs.get(entry.digest));
    return subject?.digest === tagged.digest;
  });
  const referrers = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: about }));
  const server = createServer((incoming, reply) => {
    const [, kind, name] = /\/(manifests|blobs|referrers)\/([^/]+)$/.exec(incoming.url) ?? [];
    const bytes = kind === "referrers" ? referrers : blobs.get(name === "latest" ? tagged.digest : name);
    if (bytes === undefined) return void reply.writeHead(404).end();
    answer(incoming, reply, bytes, kind === "referrers" ? INDEX : tagged.mediaType);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  server.unref();
  return { host: `127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** With the part that is asked for, as downloads that go on ask. */
function answer(incoming, reply, bytes, type) {
  const start = Number(/^bytes=(\d+)-$/.exec(incoming.headers.range ?? "")?.[1] ?? 0);
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const headers = { "Content-Type": type, "Content-Length": bytes.length - start, "Docker-Content-Digest": digest };
  if (start > 0) headers["Content-Range"] = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
  reply.writeHead(start > 0 ? 206 : 200, headers).end(bytes.subarray(start));
}
