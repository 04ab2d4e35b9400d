// The cached bases of one repository: a folder a commit, and which commit a branch or tag had last.
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RerankTuneError } from "../errors.js";

/** A full commit. */
export const COMMIT = /^[0-9a-f]{40}$/;

/** The base as it was last fetched. @throws RerankTuneError DOWNLOAD_FAILED when it never was. */
export async function fromCache(folder: string, repo: string, revision: string): Promise<{ dir: string; sha: string }> {
  const sha = COMMIT.test(revision)
    ? revision
    : (await readFile(referenceFile(folder, revision), "utf8").catch(() => "")).trim();
  const dir = join(folder, sha);
  if (COMMIT.test(sha) && (await isFolder(dir))) return { dir, sha };
  throw new RerankTuneError({
    code: "DOWNLOAD_FAILED",
    message: `${repo}@${revision} is not in the cache, and the hub may not be asked (offline).`,
    hint: "run once without --offline (and without RERANK_TUNE_OFFLINE and HF_HUB_OFFLINE), or give a local folder with base_model.path",
  });
}

/** The commit a branch or tag had last, for offline use. */
export async function remember(folder: string, revision: string, sha: string): Promise<void> {
  const path = referenceFile(folder, revision);
  if ((await readFile(path, "utf8").catch(() => "")) === sha) return;
  await mkdir(join(folder, "refs"), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, sha);
  await rename(temporary, path).catch(async (error) => {
    await rm(temporary, { force: true });
    throw error;
  });
}

function referenceFile(folder: string, revision: string): string {
  return join(folder, "refs", encodeURIComponent(revision));
}

/** Whether the environment forbids the network. */
export function isOffline(): boolean {
  return [process.env.RERANK_TUNE_OFFLINE, process.env.HF_HUB_OFFLINE].some((value) =>
    ["1", "true", "yes", "on"].includes((value ?? "").toLowerCase()),
  );
}

export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}
