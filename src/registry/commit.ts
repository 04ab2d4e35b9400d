// The commit of the registry: history first, then index.json by one rename, under the lock. Blobs are there already. Nothing else changes the index.
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { acquireLock } from "../artifacts/lock.js";
import { RerankTuneError } from "../errors.js";
import { BlobStore, dropStaleStaging } from "./blobs.js";
import { makeFolder, replaceFile } from "./durable.js";
import { type Descriptor, EMPTY_INDEX, type OciIndex, REFLOG_HEAD } from "./format.js";
import { passGate } from "./gate.js";
import {
  aliasesOf,
  INDEX_FILE,
  indexState,
  indexText,
  LAYOUT_FILE,
  LAYOUT_TEXT,
  readIndex,
  versionEntries,
  withReferrers,
  withVersion,
} from "./index-file.js";
import { requireBlobs } from "./quarantine.js";
import { appendEntries, type LogEntry } from "./reflog.js";

/** Long enough for many publishers one after another; only this last step is done under the lock. */
const LOCK_WAIT_MS = 60_000;

/** When a change is made, and how long it waits for others. */
export interface ChangeOptions {
  now?: Date;
  lockWaitMs?: number;
}

export interface Change<Result> {
  result: Result;
  /** The index to commit; nothing is written when it is absent. */
  index?: OciIndex;
  /** What the log says of it; at least one entry wherever there is an index. */
  entries?: readonly LogEntry[];
}

/**
 * One change of the registry: looks at the index under the lock, and commits what comes back.
 * @param work may write blobs and folders of its own before it returns; `commit` commits early, for work that has to go on after it.
 * @throws RerankTuneError FOLDER_IN_USE, REGISTRY_CORRUPT, and what `work` throws: nothing is changed then.
 */
export async function changeIndex<Result>(
  root: string,
  options: ChangeOptions,
  work: (
    index: OciIndex,
    commit: (index: OciIndex, entries: readonly LogEntry[]) => Promise<void>,
  ) => Promise<Change<Result>>,
): Promise<Result> {
  return await locked(root, options.lockWaitMs, async () => {
    await dropLeftovers(root);
    const before = (await readIndex(root)) ?? EMPTY_INDEX;
    const commit = async (index: OciIndex, entries: readonly LogEntry[]): Promise<void> => {
      const last = before.annotations?.[REFLOG_HEAD];
      const head = await appendEntries(root, last, entries, indexState(index), options.now ?? new Date());
      await writeIndex(root, withHead(index, head));
    };
    const { result, index, entries = [] } = await work(before, commit);
    if (index !== undefined) await commit(index, entries);
    return result;
  });
}

/** What becomes visible together. */
export interface Commit extends ChangeOptions {
  name: string;
  /** Moved together: all of them or none. */
  aliases: readonly string[];
  version: Descriptor;
  referrers: readonly Descriptor[];
  /** Why the aliases move, for the reflog. */
  reason: string;
}

/**
 * @returns whether the version is new.
 * @throws RerankTuneError GATE_FAILED when an alias is protected and the version does not pass; FOLDER_IN_USE, REGISTRY_CORRUPT.
 */
export async function commitVersion(root: string, commit: Commit): Promise<boolean> {
  const { name, aliases, version, referrers, reason } = commit;
  const store = new BlobStore(root);
  const to = version.digest;
  return await changeIndex(root, commit, async (index) => {
    await requireBlobs(store, [version, ...referrers]);
    const added = !versionEntries(index).some((entry) => entry.name === name && entry.descriptor.digest === to);
    const next = aliases.reduce((before, alias) => withVersion(before, name, alias, version, referrers), index);
    const entries: LogEntry[] = [];
    for (const alias of aliases) {
      const from = aliasesOf(index, name)[alias] ?? null;
      if (from === to) continue;
      const report = await passGate(store, next, name, alias, to);
      entries.push({ name, alias, from, to, reason, ...gateReport(report) });
    }
    if (entries.length > 0) return { result: added, index: next, entries };
    if (next.manifests.length === index.manifests.length) return { result: added };
    return { result: added, index: next, entries: [{ name, alias: null, from: to, to, reason, event: "attach" }] };
  });
}

/**
 * Makes manifests beside a version visible, such as a signature; no alias moves, and the log says who attached them.
 * @param version digest of its manifest.
 * @returns how many are new.
 * @throws RerankTuneError REGISTRY_NOT_FOUND when the version is gone by now; FOLDER_IN_USE, REGISTRY_CORRUPT.
 */
export async function commitReferrers(
  root: string,
  version: string,
  referrers: readonly Descriptor[],
): Promise<number> {
  return await changeIndex(root, {}, async (index) => {
    const owner = versionEntries(index).find(({ descriptor }) => descriptor.digest === version);
    if (owner === undefined)
      throw new RerankTuneError({
        code: "REGISTRY_NOT_FOUND",
        message: `Version ${version} was removed from the registry ${root} in the meantime.`,
        hint: "publish it again: `rerank-tune publish RECIPE`",
      });
    await requireBlobs(new BlobStore(root), referrers);
    const next = withReferrers(index, referrers);
    const added = next.manifests.length - index.manifests.length;
    if (added === 0) return { result: 0 };
    const { name } = owner;
    const reason = [...new Set(referrers.map(({ artifactType = "evidence" }) => artifactType))].join(" ");
    const entries = [{ name, alias: null, from: version, to: version, reason, event: "attach" as const }];
    return { result: added, index: next, entries };
  });
}

/** The part of a log entry that names the report on which a move rests. */
export function gateReport(digest: string | undefined): { gate_report?: string } {
  return digest === undefined ? {} : { gate_report: digest };
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

function withHead(index: OciIndex, head: string | undefined): OciIndex {
  return { ...index, annotations: { ...index.annotations, ...(head === undefined ? {} : { [REFLOG_HEAD]: head }) } };
}

async function writeIndex(root: string, index: OciIndex): Promise<void> {
  const layout = join(root, LAYOUT_FILE);
  if ((await readFile(layout, "utf8").catch(() => "")) !== LAYOUT_TEXT) await replaceFile(layout, LAYOUT_TEXT);
  await replaceFile(join(root, INDEX_FILE), indexText(index));
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
