// Writing a version out as the folder that was packaged, every byte checked on the way. The folder appears whole or not at all.
import { mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { hashFile } from "../artifacts/hash.js";
import { RerankTuneError } from "../errors.js";
import { BlobStore, dropStaleStaging, stagingName } from "./blobs.js";
import { syncFile, syncFolder } from "./durable.js";
import { FILE_PATH, type OciIndex, type OciManifest } from "./format.js";
import { readManifest, resolveReference } from "./read.js";
import { clashingPath, pathProblem } from "./reference.js";

export interface PulledVersion {
  version: string;
  /** Absolute path of the folder. */
  folder: string;
  files: number;
  bytes: number;
  /** Whether the written files were read again from the disk and had the right digests. */
  reread: boolean;
}

export interface PullOptions {
  /** Read what was written again; what is copied is checked on the way in any case. */
  reread?: boolean;
}

/** @throws RerankTuneError REGISTRY_NOT_FOUND, REGISTRY_CORRUPT, NOT_WRITABLE when the folder has content; file-system errors as they are. */
export async function pullVersion(
  root: string,
  index: OciIndex,
  reference: string,
  target: string,
  { reread = false }: PullOptions = {},
): Promise<PulledVersion> {
  const store = new BlobStore(root);
  const { name, descriptor } = resolveReference(root, index, reference);
  const manifest = await readManifest(store, descriptor.digest);
  const files = layerFiles(manifest, descriptor.digest);
  const folder = resolve(target);
  await refuseContent(folder);
  await dropStaleStaging(dirname(folder), `${basename(folder)}.partial-`);
  const partial = `${folder}.partial-${stagingName()}`;
  try {
    for (const { path, digest } of files) {
      const file = join(partial, path);
      await mkdir(dirname(file), { recursive: true });
      await store.copyTo(digest, file);
    }
    if (reread) for (const { path, digest } of files) await checkWritten(join(partial, path), digest);
    for (const made of foldersOf(files.map(({ path }) => path))) await syncFolder(join(partial, made));
    await rmdir(folder).catch(() => undefined); // there only when empty; rename says the rest
    await rename(partial, folder);
    await syncFolder(dirname(folder));
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return {
    version: `${name}@${descriptor.digest}`,
    folder,
    files: files.length,
    bytes: manifest.layers.reduce((sum, { size }) => sum + size, 0),
    reread,
  };
}

/** Flushed first, so that the bytes have been given to the disk. */
async function checkWritten(file: string, digest: string): Promise<void> {
  await syncFile(file);
  if (`sha256:${await hashFile(file)}` === digest) return;
  throw new RerankTuneError({
    code: "CHECKSUM_MISMATCH",
    message: `${file} does not read back as it was written.`,
    hint: "check this disk; the folder was not made",
  });
}

/** Paths and digests of a version's files. @throws RerankTuneError REGISTRY_CORRUPT when a path would leave the folder. */
export function layerFiles(manifest: OciManifest, version: string): { path: string; digest: string }[] {
  const files = manifest.layers.map(({ digest, annotations }) => ({ path: annotations?.[FILE_PATH] ?? "", digest }));
  const problems = files.flatMap(({ path }) => pathProblem(path) ?? []);
  const clash = clashingPath(files.map(({ path }) => path));
  if (problems.length === 0 && clash === undefined) return files;
  const what = problems[0] ?? `the path ${JSON.stringify(clash)} twice`;
  throw new RerankTuneError({
    code: "REGISTRY_CORRUPT",
    message: `Version ${version} has ${what}; nothing was written.`,
    hint: "do not use this version; run `rerank-tune registry verify`",
  });
}

/** Folders that hold the files, with those above them; "." is the first. */
function foldersOf(paths: readonly string[]): Set<string> {
  const folders = new Set(["."]);
  for (const path of paths) for (let up = dirname(path); up !== "."; up = dirname(up)) folders.add(up);
  return folders;
}

async function refuseContent(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  });
  if (names.length > 0)
    throw new RerankTuneError({
      code: "NOT_WRITABLE",
      message: `${folder} has content (${names.slice(0, 3).join(", ")}); pull writes into a new or empty folder.`,
      hint: "choose another folder, or empty this one first",
    });
}
