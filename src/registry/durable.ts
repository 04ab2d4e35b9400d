// Writes that survive a crash: the bytes are on the disk before a name points to them, and the name before anyone is told.
import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Flushes a file's bytes to the disk. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Flushes a folder's names to the disk. Windows cannot open folders and orders its metadata itself. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform !== "win32") await syncFile(path);
}

/** Makes a folder with those above it, and flushes its name and theirs; also where an interrupted run has made it already. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  await syncFolder(dirname(path));
  for (let made = path; first !== undefined && made !== first && made !== dirname(made); made = dirname(made))
    await syncFolder(dirname(dirname(made)));
}

/** Writes a new file and flushes its bytes. @param mode kept as it is, whatever the umask says. Throws EEXIST when it is there. */
export async function writeSynced(path: string, text: string, mode?: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    if (mode !== undefined) await file.chmod(mode);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Replaces a file so that readers see the old or the new one, never a part of it.
 * @param temporary where it is written first, on the same file system: beside it, or where no reader of its folder looks.
 */
export async function replaceFile(
  path: string,
  text: string,
  temporary: string = `${path}.${randomUUID()}.tmp`,
): Promise<void> {
  try {
    await writeSynced(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // the next writer drops it; what failed first is what counts
    throw error;
  }
  await syncFolder(dirname(path));
}
