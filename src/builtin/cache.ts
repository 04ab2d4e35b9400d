// Folders that are built once and checked on every use. A half-built or changed folder is never returned.
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hashFile, listFiles } from "../artifacts/hash.js";
import { fromFileSystemError } from "../errors.js";

/** Digests of the files beside it; its presence also says that the folder is whole. */
const CHECKSUMS = "SHA256SUMS";

/**
 * The folder `path`, built by `build` when it is not there or any of its files was changed.
 * @param build writes into the folder it is given, which is renamed into place when it is whole.
 */
export async function cachedFolder(path: string, build: (folder: string) => Promise<void>): Promise<string> {
  if (await isIntact(path)) return path;
  try {
    await mkdir(dirname(path), { recursive: true });
    const partial = await mkdtemp(`${path}.partial-`);
    try {
      await build(partial);
      await writeFile(join(partial, CHECKSUMS), await checksums(partial));
      await moveInto(partial, path);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  } catch (error) {
    throw fromFileSystemError(error, path) ?? error;
  }
  return path;
}

/** Another process may have built the same folder meanwhile; an intact one is kept. */
async function moveInto(partial: string, path: string): Promise<void> {
  if (await isIntact(path)) return;
  await rm(path, { recursive: true, force: true });
  await rename(partial, path);
}

async function isIntact(folder: string): Promise<boolean> {
  const expected = await readFile(join(folder, CHECKSUMS), "utf8").catch(() => undefined);
  return expected !== undefined && expected === (await checksums(folder));
}

/** In the form that `sha256sum -c` reads. */
async function checksums(folder: string): Promise<string> {
  const lines: string[] = [];
  for (const name of await listFiles(folder))
    if (name !== CHECKSUMS) lines.push(`${await hashFile(join(folder, name))}  ${name}\n`);
  return lines.join("");
}
