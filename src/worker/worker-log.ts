// What a worker prints on standard error: kept in a file, its last lines also for the message when it fails.
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

const LAST_LINES = 20;

/**
 * Appends every line of `stream` to `file` until its end.
 * @param lastLines filled on the way.
 */
export async function keepLog(stream: Readable, file: string, lastLines: string[]): Promise<void> {
  const log = createWriteStream(file, { flags: "a" });
  for await (const line of createInterface({ input: stream })) {
    log.write(`${line}\n`);
    lastLines.push(line);
    if (lastLines.length > LAST_LINES) lastLines.shift();
  }
  await new Promise((resolve) => log.end(resolve));
}
