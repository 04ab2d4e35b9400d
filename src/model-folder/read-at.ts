// How a file is read in pieces, wherever it lies: on disk or behind a server that gives parts of files.
import { type FileHandle, open } from "node:fs/promises";

/** Gives up to `length` bytes from `offset`; fewer only at the end of the file. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

/** Of an open file. */
export function readerOf(file: FileHandle): ReadAt {
  return async (offset, length) => {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    return bytes.subarray(0, bytesRead);
  };
}

/** One part of a file on disk: up to `length` bytes from `offset`. */
export async function readPart(path: string, offset: number, length: number): Promise<Buffer> {
  const file = await open(path);
  try {
    return Buffer.from(await readerOf(file)(offset, length));
  } finally {
    await file.close();
  }
}
