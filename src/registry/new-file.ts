// A file that is not there yet, written so that it appears whole or not at all, and never in another's place.
import { lstat, rename, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { dropStaleStaging, linked, stagingName } from "./blobs.js";
import { syncFolder, writeSynced } from "./durable.js";

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
    await writeSynced(partial, text, mode);
    await nameOnce(partial, path);
    await syncFolder(dirname(path));
  } finally {
    await rm(partial, { force: true });
  }
}

/** A link never replaces; where the disk has none, a rename comes as near to that as can be. */
async function nameOnce(partial: string, path: string): Promise<void> {
  if (await linked(partial, path)) return;
  if ((await lstat(path).catch(() => undefined)) !== undefined)
    throw Object.assign(new Error(`${path} is there already`), { code: "EEXIST", path });
  await rename(partial, path);
}
