// A base model from the hub: name and revision become a full commit and a local folder whose files are all checked. Cached by commit.
import { mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { listFiles, modelInfo } from "@huggingface/hub";
import { requireSpace } from "../artifacts/disk-space.js";
import { acquireLock } from "../artifacts/lock.js";
import { RerankTuneError } from "../errors.js";
import type { StageEvent } from "../events.js";
import { incomingProblems, refuseUnsafe } from "../model-folder/incoming.js";
import { type AccessOptions, callOptions, type HubAccess, openAccess } from "./access.js";
import { COMMIT, fromCache, isFolder, isOffline, remember } from "./cache.js";
import { bytesLeft, type Download, downloadFile } from "./download.js";
import { hubFailure, refused } from "./failures.js";
import { resolveAddress } from "./file-request.js";
import { baseFiles, type HubFile, shardFiles, WEIGHTS, WEIGHTS_INDEX } from "./files.js";
import { progressOf } from "./progress.js";

export interface ResolveBaseOptions extends AccessOptions {
  /** `owner/name`. */
  repo: string;
  /** Branch, tag or commit. */
  revision: string;
  /** The cache folder of the tool; bases lie in `hub/` below it. */
  cacheDir: string;
  /** Use the cache alone; also by RERANK_TUNE_OFFLINE=1 or HF_HUB_OFFLINE=1. */
  offline: boolean;
  /** Looks at the small files before gigabytes follow; throws to refuse the base. */
  check?(folder: string): Promise<void>;
  emit(event: StageEvent): void;
}

/** Another process may be fetching the same base, which can take long. */
const LOCK_WAIT_MS = 3_600_000;

/**
 * Finds the commit of a revision and brings its model files here.
 * @returns the folder and the full commit.
 * @throws RerankTuneError HUB_UNAUTHORIZED, HUB_NOT_FOUND, CHECKSUM_MISMATCH, DOWNLOAD_FAILED, MODEL_UNSUPPORTED, DISK_FULL, NOT_WRITABLE.
 */
export async function resolveBase(options: ResolveBaseOptions): Promise<{ dir: string; sha: string }> {
  const folder = join(options.cacheDir, "hub", options.repo.replace("/", "--"));
  const known = COMMIT.test(options.revision) ? options.revision : undefined;
  if (known !== undefined && (await isFolder(join(folder, known)))) return { dir: join(folder, known), sha: known };
  if (options.offline || isOffline()) return await fromCache(folder, options.repo, options.revision);
  const access = await openAccess(options);
  const subject = `${options.repo}@${options.revision}`;
  try {
    const sha = known ?? (await commitOf(access, options));
    const dir = join(folder, sha);
    if (!(await isFolder(dir))) await fetchLocked(access, options, sha, folder);
    if (known === undefined) await remember(folder, options.revision, sha);
    return { dir, sha };
  } catch (error) {
    throw hubFailure(error, subject, access.hubUrl, options.signal);
  }
}

async function commitOf(access: HubAccess, { repo, revision }: ResolveBaseOptions): Promise<string> {
  const { sha } = await modelInfo({ name: repo, revision, additionalFields: ["sha"], ...callOptions(access) });
  if (COMMIT.test(sha)) return sha;
  throw new RerankTuneError({
    code: "DOWNLOAD_FAILED",
    message: `${access.hubUrl} names ${JSON.stringify(sha)} as the commit of ${repo}@${revision}, which is none.`,
    hint: "check HF_ENDPOINT: it must be a Hugging Face Hub",
  });
}

/** Files in the first folder of a repository; one that lists more has no model there, or no end. */
const MOST_LISTED = 10_000;
const TOO_MANY = { path: "files", message: `are more than ${MOST_LISTED}` };

async function filesOf(access: HubAccess, repo: string, sha: string): Promise<HubFile[]> {
  const files: HubFile[] = [];
  for await (const { type, path, size, oid, lfs } of listFiles({
    repo,
    revision: sha,
    recursive: false,
    ...callOptions(access),
  })) {
    if (type !== "file") continue;
    if (files.length >= MOST_LISTED) refuseUnsafe(`${repo}@${sha}`, [TOO_MANY]);
    files.push(
      lfs === undefined
        ? { path, size, digest: { algorithm: "git-sha1", hex: oid ?? "" } }
        : { path, size: lfs.size, digest: { algorithm: "sha256", hex: lfs.oid } },
    );
  }
  return files;
}

async function fetchLocked(access: HubAccess, options: ResolveBaseOptions, sha: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const release = await acquireLock(join(folder, ".lock"), { waitMs: LOCK_WAIT_MS });
  try {
    // Whoever held the lock may have brought it.
    if (!(await isFolder(join(folder, sha)))) await fetchCommit(access, options, sha, folder);
  } finally {
    await release();
  }
}

/** Files gather in `<sha>.partial`, which stays after a failure and becomes `<sha>` when whole. */
async function fetchCommit(access: HubAccess, options: ResolveBaseOptions, sha: string, folder: string): Promise<void> {
  const { repo, emit } = options;
  const listed = await filesOf(access, repo, sha);
  const wanted = baseFiles(listed, repo);
  const refuse = (files: readonly HubFile[]) => refuseUnsafe(`${repo}@${sha}`, incomingProblems(files));
  refuse(wanted);
  const partial = join(folder, `${sha}.partial`);
  await mkdir(partial, { recursive: true });
  emit({ type: "phase", name: "download_base" });
  const fetchAll = async (files: readonly HubFile[]): Promise<void> => {
    await requireSpace(partial, await missingBytes(partial, files));
    const download: Download = { ...downloadOf(access, repo, sha), onProgress: progressOf(files, emit) };
    for (const file of files) await downloadFile(download, file, join(partial, file.path));
  };
  const isWeights = ({ path }: HubFile) => path === WEIGHTS || path === WEIGHTS_INDEX;
  if (options.check !== undefined) {
    await fetchAll(wanted.filter((file) => !isWeights(file)));
    await options.check(partial);
  }
  await fetchAll(wanted);
  if (wanted.some(({ path }) => path === WEIGHTS_INDEX)) {
    const shards = shardFiles(await readFile(join(partial, WEIGHTS_INDEX), "utf8"), listed, repo);
    refuse(shards);
    await fetchAll(shards);
  }
  await rename(partial, join(folder, sha));
}

function downloadOf(access: HubAccess, repo: string, sha: string): Omit<Download, "onProgress"> {
  return {
    access,
    subject: `${repo}@${sha.slice(0, 12)}`,
    address: (path) => resolveAddress(access, repo, sha, path),
    refused: (status, subject) => refused(status, subject, access.hubUrl),
    settings: "HTTPS_PROXY and HF_ENDPOINT",
  };
}

/** Of the files, without what an earlier try left. */
async function missingBytes(folder: string, files: readonly HubFile[]): Promise<number> {
  let needed = 0;
  for (const { path, size } of files) needed += await bytesLeft(join(folder, path), size);
  return needed;
}
