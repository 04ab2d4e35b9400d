// Reads a whole registry and reports everything that is not what its digest or the log says. Changes nothing and trusts no mode bits or times.
import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { hashFile, hashText } from "../artifacts/hash.js";
import { type Problem, RerankTuneError } from "../errors.js";
import { auditIndex, auditTexts } from "./audit.js";
import { BlobStore } from "./blobs.js";
import { type Descriptor, type OciIndex, type OciManifest, REFERENCE_NAME, REFLOG_HEAD } from "./format.js";
import { readIndex, versionEntries } from "./index-file.js";
import { layerFiles } from "./pull.js";
import { batches } from "./quarantine.js";
import { readManifest } from "./read.js";
import { REFLOG_FILE, type Reflog, readReflog } from "./reflog.js";
import { blobProblem, checkTree, modeProblem } from "./tree.js";

export interface RegistryReport {
  /** Blobs read and hashed. */
  blobs: number;
  bytes: number;
  versions: number;
  /** Blobs that no manifest names; a publisher that was killed leaves them, and they do no harm. */
  unused: number;
  /** Bytes behind the committed end of the log, as an interrupted writer leaves them; no damage, the next writer cuts them off. */
  uncommitted_log_bytes: number;
  /** Bytes that collection set aside and has not deleted yet; they are not hashed. */
  quarantined_bytes: number;
  /** Committed lines of the log. */
  log_lines: number;
  /** sha256 (hex) of the last of them; null in a registry without any. Whoever keeps it elsewhere can tell later whether history was rewritten. */
  log_head: string | null;
  problems: Problem[];
}

export interface VerifyOptions {
  /** Called after each blob with how many are done. */
  onBlob?(done: number, total: number): void;
  /** sha256 (hex) of a line of the log that was noted elsewhere; the log has to hold it. */
  notedHead?: string;
}

/** Rehashes everything. */
export async function checkRegistry(
  root: string,
  index: OciIndex,
  { onBlob, notedHead }: VerifyOptions = {},
): Promise<RegistryReport> {
  const store = new BlobStore(root);
  const problems: Problem[] = [];
  const { sound, bytes, blobs } = await hashBlobs(store, problems, onBlob);
  const used = new Set<string>();
  for (const entry of index.manifests) await checkEntry(store, entry, sound, used, problems);
  const head = index.annotations?.[REFLOG_HEAD];
  const log = await readReflog(root, head);
  if (notedHead !== undefined && notedHead !== head && !log.lines.some(({ previous }) => previous === notedHead))
    problems.push(lostLine(root, notedHead));
  problems.push(...auditIndex(root, index, log), ...(await auditTexts(root)), ...(await checkTree(root)));
  return {
    blobs,
    bytes,
    versions: versionEntries(index).length,
    unused: [...sound.keys()].filter((digest) => !used.has(digest)).length,
    uncommitted_log_bytes: await uncommitted(root, head, log),
    quarantined_bytes: (await batches(root)).reduce((sum, batch) => sum + batch.bytes, 0),
    log_lines: log.lines.length,
    log_head: head ?? null,
    problems,
  };
}

/** Hashing takes minutes, in which others may commit: what they wrote is no leftover of an interrupted writer. */
async function uncommitted(root: string, head: string | undefined, log: Reflog): Promise<number> {
  const now = (await readIndex(root).catch(() => undefined))?.annotations?.[REFLOG_HEAD];
  return now === head ? log.uncommitted : (await readReflog(root, now)).uncommitted;
}

const NO_LINE = "it has no line";

/** A chain can be sound and still be another one: written anew from the beginning, or an old copy that was put back. */
function lostLine(root: string, line: string): Problem {
  return {
    file: join(root, REFLOG_FILE),
    message: `${NO_LINE} ${line}: history was rewritten, or an older copy of the registry was put back`,
  };
}

/** The error for a report with problems. */
export function registryCorrupt(root: string, report: RegistryReport): RerankTuneError {
  const count = report.problems.length;
  const onlyHistory = report.problems.every(({ message }) => message.startsWith(NO_LINE));
  return new RerankTuneError({
    code: "REGISTRY_CORRUPT",
    message: `The registry ${root} has ${count} ${count === 1 ? "problem" : "problems"}.`,
    hint: onlyHistory
      ? "everything else is sound: check that the head was noted from this very registry, then restore the newest backup that holds it"
      : "delete the damaged files and publish the models concerned again, or restore the folder from a backup",
    problems: report.problems,
    data: report,
  });
}

/** Digest to size of every blob whose bytes are right. */
async function hashBlobs(
  store: BlobStore,
  problems: Problem[],
  onBlob?: (done: number, total: number) => void,
): Promise<{ sound: Map<string, number>; bytes: number; blobs: number }> {
  const sound = new Map<string, number>();
  const names = await readdir(store.folder).catch(() => []);
  let bytes = 0;
  for (const [done, name] of names.entries()) {
    const file = join(store.folder, name);
    const found = await lstat(file).catch(() => undefined);
    if (found === undefined) continue; // collection took it meanwhile; one that is needed is reported as missing
    const problem = blobProblem(name, found) ?? (await contentProblem(file, name, found.size));
    if (problem !== undefined) problems.push({ file, message: problem });
    else {
      bytes += found.size;
      sound.set(`sha256:${name}`, found.size);
      const open = modeProblem(found);
      if (open !== undefined) problems.push({ file, message: open });
    }
    onBlob?.(done + 1, names.length);
  }
  return { sound, bytes, blobs: names.length };
}

/** Smaller files are read in one go: opening a stream takes longer than reading them. */
const STREAMED_BYTES = 1 << 20;

async function contentProblem(file: string, name: string, size: number): Promise<string | undefined> {
  try {
    const sha256 = size < STREAMED_BYTES ? hashText(await readFile(file)) : await hashFile(file);
    return sha256 === name ? undefined : "its bytes do not match its name";
  } catch (error) {
    return `it cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown reason"})`;
  }
}

async function checkEntry(
  store: BlobStore,
  entry: Descriptor,
  sound: ReadonlyMap<string, number>,
  used: Set<string>,
  problems: Problem[],
): Promise<void> {
  const subject = entry.annotations?.[REFERENCE_NAME] ?? entry.digest;
  const missing = (descriptor: Descriptor, what: string): void => {
    used.add(descriptor.digest);
    const size = sound.get(descriptor.digest);
    if (size === undefined)
      problems.push({ path: subject, message: `${what} ${descriptor.digest} is missing or damaged` });
    else if (size !== descriptor.size)
      problems.push({
        path: subject,
        message: `${what} ${descriptor.digest} has ${size} bytes, not ${descriptor.size}`,
      });
  };
  missing(entry, "manifest");
  if (!sound.has(entry.digest)) return;
  const manifest = await tryManifest(store, entry, subject, problems);
  if (manifest === undefined) return;
  missing(manifest.config, "config");
  for (const layer of manifest.layers) missing(layer, "file");
  if (manifest.subject !== undefined) missing(manifest.subject, "subject");
}

async function tryManifest(
  store: BlobStore,
  entry: Descriptor,
  subject: string,
  problems: Problem[],
): Promise<OciManifest | undefined> {
  try {
    const manifest = await readManifest(store, entry.digest, entry.artifactType ?? "");
    if (manifest.subject === undefined) layerFiles(manifest, entry.digest);
    return manifest;
  } catch (error) {
    if (!(error instanceof RerankTuneError)) throw error;
    problems.push({ path: subject, message: error.message });
    return undefined;
  }
}
