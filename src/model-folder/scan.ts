// The files of a folder as they lie there, hashed, for holding them against a signature. Links and devices are found, not followed.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { hashFile } from "../artifacts/hash.js";

export interface ScannedFolder {
  /** Relative paths with forward slashes; sha256 hex. */
  files: { path: string; sha256: string }[];
  /** What is neither file nor folder, in words. */
  odd: string[];
}

/**
 * Reads every file below a folder.
 * @param skip whether a file's content does not matter; it is then not read and not listed. Links are found in any case.
 */
export async function scanFolder(folder: string, skip: (path: string) => boolean): Promise<ScannedFolder> {
  const files: ScannedFolder["files"] = [];
  const odd: string[] = [];
  const queue = [""];
  for (let below = queue.pop(); below !== undefined; below = queue.pop()) {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) queue.push(path);
      else if (!entry.isFile())
        odd.push(`${path} is ${entry.isSymbolicLink() ? "a symbolic link" : "no regular file"}`);
      else if (!skip(path)) files.push({ path, sha256: await hashFile(join(folder, path)) });
    }
  }
  return { files: files.sort((left, right) => (left.path < right.path ? -1 : 1)), odd: odd.sort() };
}
