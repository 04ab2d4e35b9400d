// The commit of the registry: history first, then index.json by one rename, under the lock. Blobs are there already.
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { acquireLock } from "../artifacts/lock.js";
import { dropStaleStaging } from "./blobs.js";
import { makeFolder, replaceFile } from "./durable.js";
import { type Descriptor, EMPTY_INDEX, type OciIndex, REFLOG_HEAD } from "./format.js";
import { aliasesOf, INDEX_FILE, LAYOUT_FILE, readIndex, versionEntries, withVersion } from "./index-file.js";
import { appendMoves } from "./reflog.js";

/** Long enough for many publishers one after another; only this last step is done under the lock. */
const LOCK_WAIT_MS = 60_000;

/** What becomes visible together. */
export interface Commit {
  name: string;
  alias: string;
  version: Descriptor;
  referrers: readonly Descriptor[];
  /** Why the alias moves, for the reflog. */
  reason: string;
  now: Date;
  lockWaitMs?: number;
}

/** @returns whether the version is new. @throws RerankTuneError FOLDER_IN_USE, REGISTRY_CORRUPT */
export async function commitVersion(root: string, commit: Commit): Promise<boolean> {
  return await locked(root, commit.lockWaitMs, async () => {
    await dropLeftovers(root);
    const index = (await readIndex(root)) ?? EMPTY_INDEX;
    const { name, alias, version, referrers } = commit;
    const added = !versionEntries(index).some(
      (entry) => entry.name === name && entry.descriptor.digest === version.digest,
    );
    const from = aliasesOf(index, name)[alias] ?? null;
    const next = withVersion(index, name, alias, version, referrers);
    if (!added && from === version.digest && next.manifests.length === index.manifests.length) return false;
    let head = index.annotations?.[REFLOG_HEAD];
    if (from !== version.digest)
      head = await appendMoves(
        root,
        head,
        [{ name, alias, from, to: version.digest, reason: commit.reason }],
        commit.now,
      );
    await writeIndex(root, {
      ...next,
      annotations: { ...next.annotations, ...(head === undefined ? {} : { [REFLOG_HEAD]: head }) },
    });
    return added;
  });
}

/** Makes an empty registry, so that it can be listed before anything is published. */
export async function createRegistry(root: string): Promise<void> {
  if ((await readIndex(root)) !== undefined) return;
  await makeFolder(root);
  await locked(root, undefined, async () => {
    await dropLeftovers(root);
    if ((await readIndex(root)) === undefined) await writeIndex(root, EMPTY_INDEX);
  });
}

async function writeIndex(root: string, index: OciIndex): Promise<void> {
  await replaceFile(join(root, LAYOUT_FILE), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  await replaceFile(join(root, INDEX_FILE), JSON.stringify(index, null, 2));
}

/** What publishers that were killed left behind; nobody else writes these names while the lock is held. */
async function dropLeftovers(root: string): Promise<void> {
  await dropStaleStaging(join(root, "tmp"));
  for (const name of await readdir(root))
    if (/^(index\.json|oci-layout)\..+\.tmp$/.test(name)) await rm(join(root, name), { force: true });
}

async function locked<Result>(root: string, waitMs: number | undefined, work: () => Promise<Result>): Promise<Result> {
  const release = await acquireLock(join(root, ".lock"), { waitMs: waitMs ?? LOCK_WAIT_MS });
  try {
    return await work();
  } finally {
    await release();
  }
}
