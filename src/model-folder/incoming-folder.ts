// What lies in a folder from elsewhere, without opening or following anything: files with sizes, and links and other things that are refused.
import type { Dirent } from "node:fs";
import { lstat, open, opendir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import type { Problem } from "../errors.js";
import { type IncomingFile, MOST_FILES } from "./incoming.js";

export interface FolderContent {
  files: IncomingFile[];
  problems: Problem[];
}

/** A file this large with less than a hundredth of it on the disk is made of holes. */
const LARGE = 2 ** 30;
const FEWEST_ON_DISK = 0.01;
/** Bytes of a block as stat counts them (POSIX <sys/stat.h>). */
const BLOCK = 512;

/** @param recursive false looks at the folder's own files alone. Stops at the first file too many. */
export async function folderContent(folder: string, recursive: boolean): Promise<FolderContent> {
  const content: FolderContent = { files: [], problems: [] };
  const root = await realpath(folder);
  const waiting = [""];
  for (let parent = waiting.pop(); parent !== undefined; parent = waiting.pop()) {
    for await (const entry of await opendir(join(root, parent))) {
      const path = parent === "" ? entry.name : `${parent}/${entry.name}`;
      if (content.files.length > MOST_FILES) return content;
      if (!entry.isDirectory()) await addEntry(content, root, path, entry);
      else if (recursive) waiting.push(path);
    }
  }
  content.files.sort((left, right) => (left.path < right.path ? -1 : 1));
  return content;
}

async function addEntry({ files, problems }: FolderContent, root: string, path: string, entry: Dirent): Promise<void> {
  const file = join(root, path);
  const message = entry.isSymbolicLink()
    ? await linkProblem(root, file)
    : entry.isFile()
      ? await holesProblem(file)
      : "is no plain file";
  if (message !== undefined) problems.push({ path, message });
  else files.push({ path, size: (await stat(file)).size });
}

/** Links may stay in the folder, or lead where the Hub's own cache keeps the bytes of a snapshot: `blobs` beside `snapshots`. */
async function linkProblem(root: string, file: string): Promise<string | undefined> {
  const target = await realpath(file).catch(() => undefined);
  if (target === undefined) return "is a link to nothing, or in a circle";
  if (!(await lstat(target)).isFile()) return "is a link to something that is no plain file";
  const store = join(dirname(dirname(root)), "blobs");
  const isSnapshot = basename(dirname(root)) === "snapshots";
  if (isWithin(root, target) || (isSnapshot && isWithin(store, target))) return undefined;
  return "is a link out of its folder";
}

const isWithin = (folder: string, path: string): boolean => {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !way.includes(":");
};

/** File systems count blocks late: what looks like holes is written out first and looked at again. */
async function holesProblem(file: string): Promise<string | undefined> {
  if (!(await isHollow(file))) return undefined;
  const handle = await open(file);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  return (await isHollow(file)) ? "claims many times the bytes that are on the disk" : undefined;
}

async function isHollow(file: string): Promise<boolean> {
  const { size, blocks } = await lstat(file);
  // Windows counts no blocks.
  return process.platform !== "win32" && size > LARGE && blocks * BLOCK < size * FEWEST_ON_DISK;
}
