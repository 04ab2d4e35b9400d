// Keeps many texts outside memory: appended to one scratch file, read back by number. The first megabytes never leave memory.
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Bytes that may wait in memory; a small data set never touches the disk. */
const WAITING = 32 << 20;
/** Bytes read at once: neighbours are mostly asked for one after another. */
const WINDOW = 32 << 10;

export class TextStore {
  /** Byte at which each text begins, in the order they were added. */
  private readonly starts: number[] = [];
  private waiting = Buffer.alloc(1 << 16);
  private waitingBytes = 0;
  private writtenBytes = 0;
  private file: { folder: string; descriptor: number } | undefined;
  private window = { start: 0, bytes: Buffer.alloc(0) };

  /**
   * @param scratch existing folder for the scratch file.
   * @param limit bytes that may wait in memory.
   */
  constructor(
    private readonly scratch: string,
    private readonly limit = WAITING,
  ) {}

  /** @returns the 0-based number of the text. */
  add(text: string): number {
    const bytes = Buffer.byteLength(text);
    if (this.waitingBytes + bytes > this.limit) this.writeOut();
    this.makeRoom(bytes);
    this.waiting.write(text, this.waitingBytes);
    this.starts.push(this.writtenBytes + this.waitingBytes);
    this.waitingBytes += bytes;
    return this.starts.length - 1;
  }

  get(number: number): string {
    const start = this.starts[number] as number;
    const end = this.starts[number + 1] ?? this.writtenBytes + this.waitingBytes;
    if (start >= this.writtenBytes)
      return this.waiting.toString("utf8", start - this.writtenBytes, end - this.writtenBytes);
    const { window } = this;
    if (start < window.start || end > window.start + window.bytes.length) this.readWindow(start, end);
    return this.window.bytes.toString("utf8", start - this.window.start, end - this.window.start);
  }

  /** Removes the scratch file; nothing can be read afterwards. */
  close(): void {
    if (this.file === undefined) return;
    closeSync(this.file.descriptor);
    rmSync(this.file.folder, { recursive: true, force: true });
    this.file = undefined;
  }

  private makeRoom(bytes: number): void {
    const needed = this.waitingBytes + bytes;
    if (needed <= this.waiting.length) return;
    const larger = Buffer.alloc(Math.max(needed, 2 * this.waiting.length));
    this.waiting.copy(larger, 0, 0, this.waitingBytes);
    this.waiting = larger;
  }

  private writeOut(): void {
    if (this.file === undefined) {
      const folder = mkdtempSync(join(this.scratch, "rows-"));
      this.file = { folder, descriptor: openSync(join(folder, "texts"), "w+") };
    }
    for (let done = 0; done < this.waitingBytes; )
      done += writeSync(this.file.descriptor, this.waiting, done, this.waitingBytes - done);
    this.writtenBytes += this.waitingBytes;
    this.waitingBytes = 0;
  }

  private readWindow(start: number, end: number): void {
    const length = Math.min(Math.max(WINDOW, end - start), this.writtenBytes - start);
    const bytes = Buffer.alloc(length);
    for (let done = 0; done < length; )
      done += readSync(this.file?.descriptor as number, bytes, done, length - done, start + done);
    this.window = { start, bytes };
  }
}
