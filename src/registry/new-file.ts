// A file that is not there yet, written so that it appears whole or not at all, and never in another's place.
import { link, lstat, open, rename, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { dropStaleStaging, stagingName } from "./blobs.js";
import { syncFolder } from "./durable.js";

const NO_LINKS = ["EPERM", "ENOTSUP", "ENOSYS", "EMLINK"];

/** Takes away what killed writers of this file left beside it. */
export async function dropPartials(path: string): Promise<void> {
  await dropStaleStaging(dirname(path), `${basename(path)}.partial-`);
}

/**
 * Creates a file; what a killed writer of the same file left beside it goes.
 * @param mode kept as it is, whatever the umask says; the usual one when left out.
 * Throws EEXIST when there is something of that name; other file-system errors as they are.
 */
export async function createFile(path: string, text: string, mode?: number): Promise<void> {
  await dropPartials(path);
  const partial = `${path}.partial-${stagingName()}`;
  try {
    const file = await open(partial, "wx", mode);
    try {
      if (mode !== undefined) await file.chmod(mode);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await nameOnce(partial, path);
    await syncFolder(dirname(path));
  } finally {
    await rm(partial, { force: true });
  }
}

/** A link never replaces; where the disk has none, a rename comes as near to that as can be. */
async function nameOnce(partial: string, path: string): Promise<void> {
  try {
    await link(partial, path);
  } catch (error) {
    if (!NO_LINKS.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    if ((await lstat(path).catch(() => undefined)) !== undefined)
      throw Object.assign(new Error(`${path} is there already`), { code: "EEXIST", path });
    await rename(partial, path);
  }
}
