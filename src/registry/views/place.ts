// One version written as a folder of a view: whole and checked under another name first, then in its place by one rename.
import { chmod, constants, copyFile, link, lstat, mkdir, rename, rm, stat, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { hashFile } from "../../artifacts/hash.js";
import { RerankTuneError } from "../../errors.js";
import type { CatalogFile } from "../catalog.js";
import { replaceFile, syncFile, syncFolder } from "../durable.js";
import { linkTarget } from "./compare.js";

/** Where a hard link cannot be made, a copy is. */
const NO_LINK = ["EXDEV", "EMLINK", "EPERM", "ENOTSUP", "ENOSYS"];

export interface Placement {
  /** Hard links to the registry's blobs in place of copies. */
  link: boolean;
  /** Called after each file with how it came there. */
  onFile(file: CatalogFile, linked: boolean): void;
  signal?: AbortSignal;
}

/**
 * @param staging a folder on the same file system that nobody else uses.
 * @throws RerankTuneError REGISTRY_CORRUPT when a blob is missing or damaged; the view then keeps what it had.
 */
export async function placeVersion(
  target: string,
  files: readonly CatalogFile[],
  staging: string,
  placement: Placement,
): Promise<void> {
  const fresh = join(staging, "new");
  await mkdir(fresh, { recursive: true });
  for (const file of files) {
    placement.signal?.throwIfAborted();
    const path = join(fresh, file.path);
    await mkdir(dirname(path), { recursive: true });
    placement.onFile(file, await placeFile(file, path, placement.link));
  }
  // Its names are on the disk before it has its own: after a power cut it is whole or not there.
  for (const made of foldersOf(files)) await syncFolder(join(fresh, made));
  if ((await lstat(target).catch(() => undefined)) !== undefined) await setAside(target, join(staging, "old"));
  await rename(fresh, target);
  await syncFolder(dirname(target));
  await rm(join(staging, "old"), { recursive: true, force: true });
}

/** Folders that hold the files, the innermost first; "." is the last. */
function foldersOf(files: readonly CatalogFile[]): string[] {
  const folders = new Set(["."]);
  for (const { path } of files) for (let up = dirname(path); up !== "."; up = dirname(up)) folders.add(up);
  return [...folders].sort((left, right) => right.length - left.length);
}

/** Takes something out of the view in one step, which is on the disk before anything of it is deleted. @param aside a new name in the staging folder. */
export async function setAside(path: string, aside: string): Promise<void> {
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return; // a builder that was killed had it out already
    throw error;
  }
  await syncFolder(dirname(path));
}

/** External data is always a copy: readers of ONNX refuse it with more than one name. */
export const isLinkable = (path: string): boolean => !path.endsWith(".onnx_data");

/** True when it is a hard link. */
async function placeFile(file: CatalogFile, path: string, wanted: boolean): Promise<boolean> {
  if ((await stat(file.blob).catch(() => undefined))?.isFile() !== true) throw damaged(file, "is missing");
  const linked = wanted && isLinkable(file.path) && (await tryLink(file.blob, path));
  // A reflink where the file system has it: no bytes are copied, and writing to one does not change the other.
  if (!linked) await copyFile(file.blob, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  if ((await hashFile(path)) !== file.sha256) throw damaged(file, "does not match its digest");
  if (!linked) {
    await chmod(path, 0o444);
    await syncFile(path);
  }
  return linked;
}

async function tryLink(blob: string, path: string): Promise<boolean> {
  try {
    await link(blob, path);
    return true;
  } catch (error) {
    if (NO_LINK.includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

/** Makes a folder of the view; whatever else has its name, such as a link to another place, goes. */
export async function ownFolder(view: string, path: string): Promise<void> {
  let at = view;
  for (const part of path.split("/").filter((name) => name !== "" && name !== ".")) {
    at = join(at, part);
    const kind = await lstat(at).catch(() => undefined);
    if (kind?.isDirectory() === true) continue;
    if (kind !== undefined) await rm(at, { recursive: true, force: true });
    await mkdir(at);
    await syncFolder(dirname(at));
  }
}

/** Writes a small file, where a folder or link of that name may stand in the way. Clients read every file of its folder as a ref, so it is begun elsewhere. */
export async function placeText(path: string, text: string, staging: string): Promise<void> {
  const kind = await lstat(path).catch(() => undefined);
  if (kind?.isDirectory() === true) await rm(path, { recursive: true, force: true });
  await replaceFile(path, text, join(staging, basename(path)));
}

/** Points a link to a neighbour, without a moment in which there is none. A junction where Windows has no links for everyone. */
export async function placeLink(path: string, target: string, staging: string): Promise<void> {
  if ((await linkTarget(path)) === target) return;
  const kind = await lstat(path).catch(() => undefined);
  if (kind?.isDirectory() === true) await rm(path, { recursive: true, force: true });
  const fresh = join(staging, basename(path));
  await symlink(target, fresh, "junction");
  await rename(fresh, path);
  await syncFolder(dirname(path));
}

const damaged = ({ sha256 }: CatalogFile, what: string): RerankTuneError =>
  new RerankTuneError({
    code: "REGISTRY_CORRUPT",
    message: `Blob sha256:${sha256} ${what}; the view keeps what it had of this version.`,
    hint: "run `rerank-tune registry verify` for all damage, delete what is damaged, then publish the model again",
  });
