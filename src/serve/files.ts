// `resolve`: the bytes of one file, whole or a range of them, streamed as fast as the client reads.
import type { FileHandle } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { CatalogFile } from "../registry/index.js";
import { type Exchange, notFound, Refusal, start } from "./exchange.js";
import type { FoundVersion, Library } from "./library.js";
import { type ByteRange, rangeOf } from "./range.js";

const TYPES: Readonly<Record<string, string>> = {
  json: "application/json; charset=utf-8",
  md: "text/plain; charset=utf-8",
  txt: "text/plain; charset=utf-8",
};

/** Half a megabyte at a time: with the socket's own buffer all that a download keeps in memory. */
const CHUNK = 1 << 19;

/** @param asked the revision as it was asked for: a pinned one may be kept by caches. */
export async function sendFile(
  library: Library,
  exchange: Exchange,
  version: FoundVersion,
  path: string,
  asked: string,
): Promise<void> {
  const file = version.files.find((candidate) => candidate.path === path);
  if (file === undefined) throw notFound("EntryNotFound", "The version has no such file.", version.revision);
  const headers = headersOf(version, file, asked);
  const { headers: wanted, method } = exchange.request;
  if (isKnown(wanted["if-none-match"], headers.ETag)) {
    start(exchange, 304, headers);
    return void exchange.response.end();
  }
  // A range of another state of the file is of no use: then the whole goes out.
  const stale = wanted["if-range"] !== undefined && wanted["if-range"] !== headers.ETag;
  const range = stale ? undefined : rangeOf(wanted.range, file.bytes);
  if (range === "unsatisfiable")
    throw new Refusal(416, "The range begins behind the end of the file.", {
      "Content-Range": `bytes */${file.bytes}`,
      "X-Repo-Commit": version.revision,
    });
  const handle = await library.open(file);
  start(exchange, range === undefined ? 200 : 206, { ...headers, ...lengthHeaders(file, range, wanted.range) });
  if (method === "HEAD" || file.bytes === 0) {
    await handle.close();
    return void exchange.response.end();
  }
  await stream(exchange, handle, range ?? { start: 0, end: file.bytes - 1 });
}

async function stream(exchange: Exchange, handle: FileHandle, { start: from, end }: ByteRange): Promise<void> {
  const source = handle.createReadStream({ start: from, end, highWaterMark: CHUNK });
  try {
    await pipeline(source, exchange.response);
  } catch (error) {
    // A client that goes away ends its own download and nothing else.
    if (!exchange.response.destroyed) throw error;
  } finally {
    exchange.bytes = source.bytesRead;
  }
}

/** Every file is shown as large, so that clients name it by its sha256. No redirects, and nothing compressed. */
function headersOf({ digest, revision }: FoundVersion, file: CatalogFile, asked: string) {
  const etag = `"${file.sha256}"`;
  const pinned = /^(sha256:)?[0-9a-f]{40}([0-9a-f]{24})?$/.test(asked);
  return {
    ETag: etag,
    "X-Linked-ETag": etag,
    "X-Linked-Size": file.bytes,
    "X-Repo-Commit": revision,
    "X-Rerank-Tune-Digest": digest,
    "Accept-Ranges": "bytes",
    "Cache-Control": pinned ? "private, max-age=31536000, immutable" : "private, no-cache",
    "Content-Type": TYPES[file.path.split(".").pop() ?? ""] ?? "application/octet-stream",
  };
}

function lengthHeaders(
  file: CatalogFile,
  range: ByteRange | undefined,
  asked: string | undefined,
): Record<string, string | number> {
  if (range !== undefined)
    return {
      "Content-Length": range.end - range.start + 1,
      "Content-Range": `bytes ${range.start}-${range.end}/${file.bytes}`,
    };
  // Clients that ask for one byte to learn the size read it here, although an empty file has no byte to give.
  if (file.bytes === 0 && asked !== undefined) return { "Content-Length": 0, "Content-Range": "bytes */0" };
  return { "Content-Length": file.bytes };
}

function isKnown(header: string | undefined, etag: string): boolean {
  const tags = (header ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}
