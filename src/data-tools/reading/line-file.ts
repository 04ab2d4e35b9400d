// Writes lines to a file that appears under its name when it is whole. Synchronous in large pieces, so that any code may add a line.
import { createHash } from "node:crypto";
import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { fromFileSystemError } from "../../errors.js";

const PIECE = 1 << 20;

export class LineFile {
  private readonly descriptor: number;
  private readonly hash = createHash("sha256");
  private waiting: string[] = [];
  private waitingCharacters = 0;
  lines = 0;

  /** @throws RerankTuneError NOT_WRITABLE, DISK_FULL; so do the methods. */
  constructor(readonly path: string) {
    this.descriptor = this.guarded(() => openSync(this.partial, "w"));
  }

  /** @param line without its end. */
  add(line: string): void {
    this.waiting.push(line, "\n");
    this.waitingCharacters += line.length + 1;
    this.lines += 1;
    if (this.waitingCharacters >= PIECE) this.flush();
  }

  /** Puts the file in its place. @returns the sha256 of its bytes, hex. */
  finish(): string {
    this.flush();
    this.guarded(() => {
      closeSync(this.descriptor);
      renameSync(this.partial, this.path);
    });
    return this.hash.digest("hex");
  }

  /** Leaves nothing behind; for use instead of `finish`. */
  discard(): void {
    closeSync(this.descriptor);
    rmSync(this.partial, { force: true });
  }

  private get partial(): string {
    return `${this.path}.partial-${process.pid}`;
  }

  private flush(): void {
    const bytes = Buffer.from(this.waiting.join(""));
    this.waiting = [];
    this.waitingCharacters = 0;
    this.hash.update(bytes);
    this.guarded(() => {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.descriptor, bytes, done);
    });
  }

  private guarded<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw fromFileSystemError(error, this.path) ?? error;
    }
  }
}
