// Collection: versions that nothing retains leave the index, blobs that nothing names go to the quarantine, and the quarantine of earlier runs is emptied.
import { lstat, readdir, rename } from "node:fs/promises";
import { basename, join } from "node:path";
import { soundLog } from "./aliases.js";
import { BlobStore } from "./blobs.js";
import { changeIndex } from "./commit.js";
import { syncFolder } from "./durable.js";
import type { OciIndex } from "./format.js";
import { referrerEntries, versionEntries } from "./index-file.js";
import { type Batch, BLOB_NAME, batches, deleteBatch, openBatch, requireBlobs, returnBlobs } from "./quarantine.js";
import { readManifest } from "./read.js";
import type { LogEntry } from "./reflog.js";
import { removals, withoutVersions } from "./removal.js";
import { type Retention, type Unretained, unretained } from "./retention.js";

export interface CollectRequest extends Retention {
  /** A blob that was written or linked less long ago stays: its publisher may not have committed yet. */
  graceMs: number;
  /** What lies in the quarantine longer is deleted. */
  quarantineMs: number;
  /** False only says what would be done, and takes no lock. */
  carryOut: boolean;
  lockWaitMs?: number;
}

export interface Pile {
  blobs: number;
  bytes: number;
}

export interface Collection {
  carried_out: boolean;
  /** Versions that leave the index. */
  versions: Unretained[];
  /** Blobs that go to the quarantine; `linked_bytes` of them are also linked elsewhere and take no less room when they are gone. */
  set_aside: Pile & { linked_bytes: number };
  /** Blobs that no version names and that are too young to touch. */
  young: Pile;
  /** What stays in the store. */
  kept: Pile;
  /** What is deleted for good: the quarantine of earlier runs. */
  deleted: Pile & { batches: number };
  /** Name of the new batch; null where nothing is set aside. */
  batch: string | null;
}

interface Plan {
  report: Collection;
  index: OciIndex;
  dropped: OciIndex["manifests"];
  names: string[];
  old: Batch[];
}

/**
 * Marks from the index that is left, and sweeps. Carried out in an order that a crash cannot hurt: the record of what goes, the
 * commit of the index, the blobs, and the deletion of old batches last.
 * @throws RerankTuneError REGISTRY_CORRUPT when the log or a manifest is damaged: then nothing is known to be unused.
 */
export async function collect(root: string, index: OciIndex, request: CollectRequest): Promise<Collection> {
  if (!request.carryOut) return (await planOf(root, index, request)).report;
  return await changeIndex(root, request, async (locked, commit) => {
    const plan = await planOf(root, locked, request);
    const { report, names, dropped } = plan;
    if (dropped.length > 0 || names.length > 0) {
      const reason = `collect: keep ${request.keep}, older than ${request.olderThanDays} days`;
      const folder = await openBatch(root, { time: request.now.toISOString(), reason, entries: dropped });
      if (dropped.length > 0) await commit(plan.index, removals(report.versions, reason));
      await setAside(new BlobStore(root), names, folder);
      report.batch = basename(folder);
    }
    for (const batch of plan.old) await deleteBatch(batch);
    return { result: { ...report, carried_out: true } };
  });
}

async function planOf(root: string, index: OciIndex, request: CollectRequest): Promise<Plan> {
  const store = new BlobStore(root);
  const versions = unretained(index, await soundLog(root, index), request);
  const { index: next, dropped } = await withoutVersions(store, index, versions);
  const swept = await sweep(store, await marked(store, next), request);
  const old = (await batches(root)).filter(({ time }) => request.now.getTime() - time >= request.quarantineMs);
  const deleted = { batches: old.length, ...sum(old) };
  const { names, ...piles } = swept;
  return { report: { carried_out: false, versions, ...piles, deleted, batch: null }, index: next, dropped, names, old };
}

/** Every digest that the index leads to. */
async function marked(store: BlobStore, index: OciIndex): Promise<Set<string>> {
  const found = new Set<string>();
  for (const { digest } of index.manifests) {
    if (found.has(digest)) continue;
    found.add(digest);
    const { config, layers } = await readManifest(store, digest, "");
    for (const named of [config, ...layers]) found.add(named.digest);
  }
  return found;
}

async function sweep(
  store: BlobStore,
  reached: ReadonlySet<string>,
  { graceMs, now }: CollectRequest,
): Promise<Pick<Collection, "set_aside" | "young" | "kept"> & { names: string[] }> {
  const set_aside = { blobs: 0, bytes: 0, linked_bytes: 0 };
  const [young, kept] = [0, 1].map(() => ({ blobs: 0, bytes: 0 })) as [Pile, Pile];
  const names: string[] = [];
  for (const name of await readdir(store.folder).catch(() => [])) {
    if (!BLOB_NAME.test(name)) continue;
    const { size, mtimeMs, ctimeMs, nlink } = await lstat(join(store.folder, name));
    // A link keeps the time at which its bytes were written, so the time of the last change of the inode counts too.
    const isYoung = now.getTime() - Math.max(mtimeMs, ctimeMs) < graceMs;
    const pile = reached.has(`sha256:${name}`) ? kept : isYoung ? young : set_aside;
    pile.blobs += 1;
    pile.bytes += size;
    if (pile !== set_aside) continue;
    names.push(name);
    if (nlink > 1) set_aside.linked_bytes += size;
  }
  return { set_aside, young, kept, names };
}

async function setAside(store: BlobStore, names: readonly string[], folder: string): Promise<void> {
  for (const name of names) await rename(join(store.folder, name), join(folder, name));
  await syncFolder(folder);
  await syncFolder(store.folder);
}

function sum(old: readonly Batch[]): Pile {
  return {
    blobs: old.reduce((total, { blobs }) => total + blobs.length, 0),
    bytes: old.reduce((total, { bytes }) => total + bytes, 0),
  };
}

export interface Restored extends Pile {
  /** Versions that are back, `name@digest`; aliases do not come back. */
  versions: string[];
}

/**
 * Takes everything back out of the quarantine. An entry whose blobs are gone stays away.
 * @throws RerankTuneError FOLDER_IN_USE
 */
export async function restore(
  root: string,
  options: { now: Date; reason: string; lockWaitMs?: number },
): Promise<Restored> {
  const store = new BlobStore(root);
  return await changeIndex(root, options, async (index, commit) => {
    const found = await batches(root);
    for (const batch of found) await returnBlobs(store, batch);
    const whole: OciIndex["manifests"] = [];
    for (const entry of found.flatMap(({ entries }) => entries)) {
      const known = [...index.manifests, ...whole].some(
        (other) =>
          other.digest === entry.digest && JSON.stringify(other.annotations) === JSON.stringify(entry.annotations),
      );
      const there = await requireBlobs(store, [entry]).then(
        () => true,
        () => false,
      );
      if (!known && there) whole.push(entry);
    }
    const next = { ...index, manifests: [...index.manifests, ...whole] };
    const back = versionEntries({ ...index, manifests: whole });
    const entries = await returns(store, next, whole, options.reason);
    if (entries.length > 0) await commit(next, entries);
    for (const batch of found) await deleteBatch(batch);
    const versions = back.map(({ name, descriptor }) => `${name}@${descriptor.digest}`);
    return { result: { versions, ...sum(found) } };
  });
}

/** A line for each version that comes back, and for each report or signature that returns to a version that was there again already. */
async function returns(
  store: BlobStore,
  next: OciIndex,
  whole: OciIndex["manifests"],
  reason: string,
): Promise<LogEntry[]> {
  const back = versionEntries({ ...next, manifests: whole });
  const entries = back.map(({ name, descriptor }): LogEntry => {
    return { name, alias: null, from: null, to: descriptor.digest, reason, event: "restore" };
  });
  for (const { digest } of referrerEntries({ ...next, manifests: whole })) {
    const { subject } = await readManifest(store, digest, "");
    const owner = versionEntries(next).find(({ descriptor }) => descriptor.digest === subject?.digest);
    if (owner === undefined || back.some(({ descriptor }) => descriptor.digest === subject?.digest)) continue;
    const to = owner.descriptor.digest;
    entries.push({ name: owner.name, alias: null, from: to, to, reason, event: "attach" });
  }
  return entries;
}
