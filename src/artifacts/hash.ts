// Content digests of files, folders and JSON. Pure reading; nothing is cached here.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";

/** sha256 of a file's bytes, hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  // a buffer of a megabyte for each of many small files would cost more than reading and hashing them
  const highWaterMark = Math.min(1 << 20, Math.max((await stat(path)).size, 1 << 12));
  for await (const chunk of createReadStream(path, { highWaterMark })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** sha256 of a text or bytes, hex. */
export function hashText(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}

/** JSON with sorted keys and without undefined, so that key order never changes a digest. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    entries.sort(([left], [right]) => (left < right ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
  }
  return JSON.stringify(value ?? null);
}

/** All files below a folder, as sorted relative paths with forward slashes. Symbolic links are followed to files only. */
export async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() || (entry.isSymbolicLink() && (await stat(path)).isFile()))
      files.push(relative(folder, path).split(sep).join("/"));
  }
  return files.sort();
}
