// Where a linted folder's files come from. The local side; hub-source.ts is the other.
import { createReadStream } from "node:fs";
import { lstat, open, readdir, readFile, readlink, realpath, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { RerankTuneError } from "../errors.js";
import { type ReadAt, readerOf } from "../model-folder/read-at.js";
import type { FileFacts } from "./facts.js";

export interface FolderSource {
  name: string;
  isHub: boolean;
  /** Absolute; empty for the Hub. */
  folder: string;
  list(): Promise<FileFacts[]>;
  text(file: FileFacts): Promise<string>;
  /** Calls `work` with what reads pieces of the file. @throws Unread where the other side gives none. */
  pieces<Result>(file: FileFacts, work: (readAt: ReadAt) => Promise<Result>): Promise<Result>;
}

/** First words of the file that git leaves for one in large-file storage (git-lfs, docs/spec.md). */
const POINTER = "version https://git-lfs.github.com/spec/v1";
/** A pointer is a few lines. */
const LONGEST_POINTER = 1024;

/** @throws RerankTuneError MODEL_NOT_FOUND when there is no such folder. */
export async function localSource(name: string): Promise<FolderSource> {
  const folder = resolve(name);
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) throw missing(`There is no folder ${name}.`);
  if (!found.isDirectory()) throw missing(`${name} is a file, not a folder.`);
  return {
    name,
    isHub: false,
    folder,
    list: () => listLocal(folder),
    text: ({ path }) => readFile(join(folder, path), "utf8"),
    pieces: ({ path }, work) => withPieces(join(folder, path), work),
  };
}

async function withPieces<Result>(path: string, work: (readAt: ReadAt) => Promise<Result>): Promise<Result> {
  const file = await open(path);
  try {
    return await work(readerOf(file));
  } finally {
    await file.close();
  }
}

function missing(message: string): RerankTuneError {
  return new RerankTuneError({
    code: "MODEL_NOT_FOUND",
    message,
    hint: "name a model folder, or a repository of the Hub as owner/name or owner/name@revision",
  });
}

async function listLocal(folder: string): Promise<FileFacts[]> {
  const root = await realpath(folder);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: FileFacts[] = [];
  for (const entry of entries) {
    const full = join(entry.parentPath, entry.name);
    const path = relative(folder, full).split(sep).join("/");
    if (path.split("/").includes(".git")) continue;
    if (entry.isSymbolicLink()) files.push(...(await linkFacts(full, path, root)));
    else if (entry.isFile()) files.push(await plainFacts(full, path));
  }
  return files.sort((left, right) => (left.path < right.path ? -1 : 1));
}

async function plainFacts(full: string, path: string): Promise<FileFacts> {
  const { size, nlink } = await lstat(full);
  return {
    path,
    size,
    isPointer: await isPointer(full, size),
    hardLinks: nlink,
    linkedFolder: null,
    leaves: false,
    dangling: false,
  };
}

/** A link to a folder is named when it leaves; what lies behind it is not read. */
async function linkFacts(full: string, path: string, root: string): Promise<FileFacts[]> {
  const target = await realpath(full).catch(() => undefined);
  const found = target === undefined ? undefined : await stat(target);
  const size = found?.isFile() ? found.size : 0;
  const inside = target !== undefined && (target === root || target.startsWith(root + sep));
  const isCache = target !== undefined && isHubCache(await readlink(full), dirname(full));
  return [
    {
      path,
      size,
      isPointer: found?.isFile() === true && (await isPointer(full, size)),
      hardLinks: 1,
      linkedFolder: target === undefined ? null : dirname(target),
      leaves: target !== undefined && !inside && !isCache,
      dangling: target === undefined,
    },
  ];
}

/** The Hub's own cache keeps snapshots/<commit>/ full of links into blobs/ beside it, which every consumer follows. */
function isHubCache(link: string, from: string): boolean {
  const target = resolve(from, link);
  return /\/snapshots\/[^/]+(\/|$)/.test(from.split(sep).join("/")) && dirname(target).split(sep).at(-1) === "blobs";
}

async function isPointer(full: string, size: number): Promise<boolean> {
  if (size === 0 || size > LONGEST_POINTER) return false;
  for await (const chunk of createReadStream(full, { end: POINTER.length - 1 }))
    return (chunk as Buffer).toString("utf8") === POINTER;
  return false;
}
