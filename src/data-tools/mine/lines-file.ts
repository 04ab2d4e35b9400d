// Files that grow by appending: what is whole after an interruption is kept, a torn end is cut off. Knows nothing of the content.
import { createReadStream } from "node:fs";
import { open, stat, truncate } from "node:fs/promises";

/**
 * Cuts a file of lines down to a multiple of `multiple` whole lines.
 * @returns the number of lines that stay; 0 for a file that is not there.
 */
export async function keepWholeLines(file: string, multiple = 1): Promise<number> {
  if ((await bytesOf(file)) === 0) return 0;
  let [lines, kept, bytes, end] = [0, 0, 0, 0];
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) {
      lines += 1;
      if (lines % multiple === 0) [kept, end] = [lines, bytes + at + 1];
    }
    bytes += chunk.length;
  }
  await truncate(file, end);
  return kept;
}

/** Size of a file; 0 when it is not there. */
export async function bytesOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}

/** Appends and waits until the bytes are on the disk: a later step relies on them. */
export async function appendDurably(file: string, content: string | Uint8Array): Promise<void> {
  const handle = await open(file, "a");
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
