// Writes lines to a file so that it is either whole or not there: to a name beside it first, renamed when done.
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fromFileSystemError } from "../../errors.js";

/**
 * One object a line as JSON; the file is replaced when it is there.
 * @throws RerankTuneError NOT_WRITABLE, DISK_FULL.
 */
export async function writeJsonLines(path: string, rows: Iterable<object>): Promise<void> {
  await writeTextLines(path, jsonOf(rows));
}

/** Plain lines without their ends. */
export async function writeTextLines(path: string, lines: Iterable<string>): Promise<void> {
  const partial = `${path}.partial-${process.pid}`;
  try {
    await pipeline(Readable.from(ended(lines)), createWriteStream(partial, "utf8"));
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw fromFileSystemError(error, path) ?? error;
  }
}

function* jsonOf(rows: Iterable<object>): Generator<string> {
  for (const row of rows) yield JSON.stringify(row);
}

function* ended(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `${line}\n`;
}
