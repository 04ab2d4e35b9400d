// Lines that gather at the end of a file in the work folder. What was whole before an interruption counts as done.
import { appendDurably, keepWholeLines } from "../mine/lines-file.js";

/** Lines, and milliseconds, after which what waits is put on the disk. */
const LINES = 64;
const EVERY_MS = 1000;

export class PartFile {
  private waiting: string[] = [];
  private written = performance.now();

  private constructor(
    readonly path: string,
    /** Lines that an earlier run left. */
    readonly found: number,
  ) {}

  /** Cuts off a torn line. */
  static async open(path: string): Promise<PartFile> {
    return new PartFile(path, await keepWholeLines(path));
  }

  /** @param line without its end. */
  async add(line: string): Promise<void> {
    this.waiting.push(`${line}\n`);
    if (this.waiting.length >= LINES || performance.now() - this.written > EVERY_MS) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.waiting.length > 0) await appendDurably(this.path, this.waiting.join(""));
    this.waiting = [];
    this.written = performance.now();
  }
}
