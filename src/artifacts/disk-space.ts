// How much a folder's disk has left, also for a folder that is not made yet.
import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { fromFileSystemError } from "../errors.js";

/** Bytes that a process without special rights may still write. @param path must exist. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

/** The path itself, or the nearest folder above it that is there: a new one will be on its disk. */
export async function nearestExisting(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined || dirname(path) === path ? path : await nearestExisting(dirname(path));
}

/**
 * Better to know before gigabytes follow than after; nothing is made here for looking.
 * @throws RerankTuneError DISK_FULL.
 */
export async function requireSpace(folder: string, bytes: number): Promise<void> {
  if ((await freeBytes(await nearestExisting(folder))) < bytes) throw fromFileSystemError({ code: "ENOSPC" }, folder);
}
