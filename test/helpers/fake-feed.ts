// A NuGet v3 feed on loopback with one made-up package, and an installed onnxruntime-node that it belongs to.
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { onTestFinished } from "vitest";

export const PACKAGE_ID = "Microsoft.ML.OnnxRuntime.Gpu.Linux";
export const VERSION = "9.9.0";
const LOWER = PACKAGE_ID.toLowerCase();
const LIBRARIES = ["cuda", "shared", "tensorrt"].map((name) => `libonnxruntime_providers_${name}.so`);
const NATIVE = "runtimes/linux-x64/native";

/** Bytes that stand for a library. */
export const library = (name: string): Buffer => Buffer.from(`\u007fELF made up ${name} ${"x".repeat(5000)}`, "latin1");

export interface PackageParts {
  id?: string;
  version?: string;
  /** Replaces or, with null, removes a library. */
  libraries?: Record<string, Buffer | null>;
}

/** A .nupkg: a zip file with a manifest and the libraries, and more than is wanted. */
export function nuget({ id = PACKAGE_ID, version = VERSION, libraries = {} }: PackageParts = {}): Buffer {
  const manifest = `<?xml version="1.0"?>\n<package><metadata>\n  <id>${id}</id>\n  <version>${version}</version>\n</metadata></package>`;
  const files: Record<string, Uint8Array> = {
    [`${PACKAGE_ID}.nuspec`]: strToU8(manifest),
    [`${NATIVE}/libonnxruntime.so`]: library("not wanted"),
  };
  for (const name of LIBRARIES) {
    const bytes = libraries[name] === undefined ? library(name) : libraries[name];
    if (bytes !== null) files[`${NATIVE}/${name}`] = bytes;
  }
  // A fixed time, so that equal parts give equal bytes.
  return Buffer.from(zipSync(files, { mtime: "2026-01-01T00:00:00Z" }));
}

/** As npm leaves onnxruntime-node: metadata of its install script, and the folder of its binaries. */
export async function installedRuntime(root: string, feed: string): Promise<{ entry: string; folder: string }> {
  const folder = join(root, "bin", "napi-v6", "linux", "x64");
  await mkdir(folder, { recursive: true });
  await mkdir(join(root, "script"));
  const manifest = Object.fromEntries(
    LIBRARIES.map((name) => [`./${name}`, { package: "the-package", path: `${NATIVE}/${name}` }]),
  );
  const metadata = {
    manifests: { "linux/x64:cuda12": manifest },
    packages: { "the-package": { name: PACKAGE_ID, versions: [{ feed: "nuget", version: VERSION }] } },
    feeds: { nuget: { type: "nuget", index: feed } },
  };
  await writeFile(join(root, "script", "install-metadata.js"), `module.exports = ${JSON.stringify(metadata)};`);
  await writeFile(join(root, "package.json"), JSON.stringify({ binary: { napi_versions: [6] } }));
  await writeFile(join(root, "index.js"), "module.exports = {};");
  return { entry: join(root, "index.js"), folder };
}

export interface FakeFeed {
  /** Of the service index. */
  url: string;
  requests: string[];
  /** Answers a request itself where it returns true. */
  fault?: (incoming: IncomingMessage, reply: ServerResponse) => boolean;
}

/** @param said what the catalog says of the package where that is not the truth. */
export async function startFeed(content: Buffer, said: Record<string, unknown> = {}): Promise<FakeFeed> {
  const feed: FakeFeed = { url: "", requests: [] };
  const server = createServer((incoming, reply) => {
    feed.requests.push(`${incoming.url}${incoming.headers.range === undefined ? "" : ` ${incoming.headers.range}`}`);
    if (feed.fault?.(incoming, reply) === true) return;
    answer(incoming, reply, base, content, said);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  feed.url = `${base}/index.json`;
  return feed;
}

/** The content is behind a redirect, which the package's own install script refuses. */
function answer(
  incoming: IncomingMessage,
  reply: ServerResponse,
  base: string,
  content: Buffer,
  said: Record<string, unknown>,
): void {
  const json: Record<string, unknown> = {
    "/index.json": {
      resources: [
        { "@id": `${base}/content/`, "@type": "PackageBaseAddress/3.0.0" },
        { "@id": `${base}/registration`, "@type": "RegistrationsBaseUrl/3.6.0" },
      ],
    },
    [`/registration/${LOWER}/${VERSION}.json`]: { catalogEntry: `${base}/catalog/entry.json` },
    "/catalog/entry.json": {
      packageHash: createHash("sha512").update(content).digest("base64"),
      packageHashAlgorithm: "SHA512",
      packageSize: content.length,
      ...said,
    },
  };
  const path = incoming.url ?? "";
  if (path in json) reply.setHeader("Content-Type", "application/json").end(JSON.stringify(json[path]));
  else if (path === `/content/${LOWER}/${VERSION}/${LOWER}.${VERSION}.nupkg`)
    reply.writeHead(302, { Location: `${base}/store/package` }).end();
  else if (path === "/store/package") sendPart(incoming, reply, content);
  else reply.writeHead(404).end();
}

function sendPart(incoming: IncomingMessage, reply: ServerResponse, content: Buffer): void {
  const start = Number(/^bytes=(\d+)-$/.exec(incoming.headers.range ?? "")?.[1] ?? 0);
  reply.writeHead(start > 0 ? 206 : 200, { "Content-Length": content.length - start }).end(content.subarray(start));
}
