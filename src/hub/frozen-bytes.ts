// Bytes of a frozen file on their way out. They are hashed as they go, and the last piece is held back until the digest is right.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { RerankTuneError } from "../errors.js";

/** A file of a version and the read-only blob that holds it. */
export interface FrozenBytes {
  path: string;
  bytes: number;
  /** Hex. */
  sha256: string;
  blob: string;
}

/** Bytes; small enough that a slow line, too, moves one within the time that counts as silence. */
export const PIECE = 256 * 1024;

/**
 * The file in pieces of at most 256 KiB. Whoever reads never gets the last piece of a file that is not the one that was frozen, so
 * no other place can take it for whole.
 * @throws RerankTuneError REGISTRY_CORRUPT in place of the last piece.
 */
export async function* checkedPieces(file: FrozenBytes): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  let count = 0;
  let held: Buffer | undefined;
  for await (const piece of createReadStream(file.blob, { highWaterMark: PIECE }) as AsyncIterable<Buffer>) {
    hash.update(piece);
    count += piece.length;
    if (held !== undefined) yield held;
    held = piece;
  }
  if (count !== file.bytes || hash.digest("hex") !== file.sha256) throw changed(file);
  if (held !== undefined) yield held;
}

/** The file in parts of so many bytes, the last one shorter. The same promise as `checkedPieces`. */
export async function* checkedParts(file: FrozenBytes, partBytes: number): AsyncGenerator<Buffer> {
  let gathered: Buffer[] = [];
  let count = 0;
  for await (const piece of checkedPieces(file)) {
    let rest = piece;
    while (count + rest.length >= partBytes) {
      const taken = partBytes - count;
      yield Buffer.concat([...gathered, rest.subarray(0, taken)]);
      rest = rest.subarray(taken);
      gathered = [];
      count = 0;
    }
    if (rest.length > 0) gathered.push(rest);
    count += rest.length;
  }
  if (count > 0) yield Buffer.concat(gathered);
}

/** A small file whole. @throws RerankTuneError REGISTRY_CORRUPT. */
export async function checkedContent(file: FrozenBytes): Promise<Buffer> {
  const content = await readFile(file.blob);
  if (content.length !== file.bytes || createHash("sha256").update(content).digest("hex") !== file.sha256)
    throw changed(file);
  return content;
}

/** The name that git gives to a file's content: `blob <bytes>\0` and the bytes, as sha1. */
export function gitBlob(content: Buffer): string {
  return createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
}

function changed({ path }: FrozenBytes): RerankTuneError {
  return new RerankTuneError({
    code: "REGISTRY_CORRUPT",
    message: `${path} is not what the version lists: its blob was changed in the registry.`,
    hint: "run `rerank-tune registry verify`; then publish the recipe again, which puts the right bytes back",
  });
}
