// Reads a whole registry and reports everything that is not what its digest says. Changes nothing and trusts no mode bits or times.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { hashFile } from "../artifacts/hash.js";
import { type Problem, RerankTuneError } from "../errors.js";
import { BlobStore } from "./blobs.js";
import { type Descriptor, type OciIndex, type OciManifest, REFERENCE_NAME, REFLOG_HEAD } from "./format.js";
import { versionEntries } from "./index-file.js";
import { layerFiles } from "./pull.js";
import { readManifest } from "./read.js";
import { readReflog } from "./reflog.js";

export interface RegistryReport {
  /** Blobs read and hashed. */
  blobs: number;
  bytes: number;
  versions: number;
  /** Blobs that no manifest names; a publisher that was killed leaves them, and they do no harm. */
  unused: number;
  problems: Problem[];
}

/** Rehashes everything. @param onBlob called after each blob with how many are done. */
export async function checkRegistry(
  root: string,
  index: OciIndex,
  onBlob?: (done: number, total: number) => void,
): Promise<RegistryReport> {
  const store = new BlobStore(root);
  const problems: Problem[] = [];
  const { sound, bytes, blobs } = await hashBlobs(store, problems, onBlob);
  const used = new Set<string>();
  for (const entry of index.manifests) await checkEntry(store, entry, sound, used, problems);
  const log = await readReflog(root, index.annotations?.[REFLOG_HEAD]);
  problems.push(...log.problems.map((message) => ({ file: join(root, "reflog.ndjson"), message })));
  return {
    blobs,
    bytes,
    versions: versionEntries(index).length,
    unused: [...sound.keys()].filter((digest) => !used.has(digest)).length,
    problems,
  };
}

/** The error for a report with problems. */
export function registryCorrupt(root: string, report: RegistryReport): RerankTuneError {
  const count = report.problems.length;
  return new RerankTuneError({
    code: "REGISTRY_CORRUPT",
    message: `The registry ${root} has ${count} ${count === 1 ? "problem" : "problems"}.`,
    hint: "publish the models concerned again, which replaces damaged bytes, or restore the folder from a backup",
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
    const { size } = await stat(file);
    bytes += size;
    if ((await hashFile(file)) === name) sound.set(`sha256:${name}`, size);
    else problems.push({ file, message: "its bytes do not match its name" });
    onBlob?.(done + 1, names.length);
  }
  return { sound, bytes, blobs: names.length };
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
