// Digests of outside files and folders, remembered by size and time so that a rerun does not read gigabytes again.
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { canonicalJson, hashFile, hashText, listFiles } from "./hash.js";

interface Remembered {
  bytes: number;
  mtime_ms: number;
  sha256: string;
}

/** A file younger than this may change again within the clock's grain, so its digest is not remembered. */
const SETTLED_MS = 2000;

export class DigestMemory {
  private known: Record<string, Remembered> | undefined;
  private changed = false;

  constructor(private readonly file: string) {}

  /** sha256 (hex) of a file, or of the names and digests of all files of a folder; undefined when there is nothing at `path`. */
  async digest(path: string): Promise<string | undefined> {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) return undefined;
    if (!found.isDirectory()) return await this.digestFile(path);
    const entries: [string, string][] = [];
    for (const name of await listFiles(path)) entries.push([name, await this.digestFile(join(path, name))]);
    return hashText(canonicalJson(entries));
  }

  /** Writes what was learnt; losing it costs time only. */
  async save(): Promise<void> {
    if (!this.changed) return;
    await mkdir(dirname(this.file), { recursive: true });
    const temporary = `${this.file}.${process.pid}`;
    await writeFile(temporary, JSON.stringify(this.known));
    await rename(temporary, this.file);
    this.changed = false;
  }

  private async digestFile(path: string): Promise<string> {
    this.known ??= await readKnown(this.file);
    const { size, mtimeMs } = await stat(path);
    const memory = this.known[path];
    if (memory !== undefined && memory.bytes === size && memory.mtime_ms === mtimeMs) return memory.sha256;
    const sha256 = await hashFile(path);
    if (Date.now() - mtimeMs > SETTLED_MS) {
      this.known[path] = { bytes: size, mtime_ms: mtimeMs, sha256 };
      this.changed = true;
    }
    return sha256;
  }
}

async function readKnown(file: string): Promise<Record<string, Remembered>> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Record<string, Remembered>;
  } catch {
    return {};
  }
}
