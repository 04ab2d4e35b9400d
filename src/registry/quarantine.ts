// What collection takes out of the registry, kept aside until a later run deletes it: `quarantine/<batch>/` with blobs by name and what was removed from the index.
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { jsonOf } from "../artifacts/json-value.js";
import { RerankTuneError } from "../errors.js";
import type { BlobStore } from "./blobs.js";
import { replaceFile, syncFolder } from "./durable.js";
import { type Descriptor, descriptorSchema, type OciManifest } from "./format.js";
import { readManifest } from "./read.js";

export const QUARANTINE = "quarantine";
const BATCH_FILE = "batch.json";
export const BLOB_NAME = /^[0-9a-f]{64}$/;

const batchSchema = z.object({
  schema: z.literal(1),
  time: z.iso.datetime(),
  reason: z.string(),
  /** Entries of index.json that went with it. */
  entries: z.array(descriptorSchema),
});
export type BatchRecord = z.infer<typeof batchSchema>;

export interface Batch {
  folder: string;
  /** When it was set aside, milliseconds since 1970. */
  time: number;
  entries: Descriptor[];
  blobs: string[];
  bytes: number;
}

/** Makes a batch and records what goes with it before anything goes. @returns its folder. */
export async function openBatch(root: string, record: Omit<BatchRecord, "schema">): Promise<string> {
  const folder = join(root, QUARANTINE, `${record.time.replace(/\D/g, "").slice(0, 14)}-${randomUUID().slice(0, 8)}`);
  await mkdir(folder, { recursive: true });
  await syncFolder(join(root, QUARANTINE));
  await replaceFile(join(folder, BATCH_FILE), `${JSON.stringify({ schema: 1, ...record })}\n`);
  return folder;
}

/** Oldest first. */
export async function batches(root: string): Promise<Batch[]> {
  const names = await readdir(join(root, QUARANTINE)).catch(() => []);
  return await Promise.all(names.sort().map((name) => readBatch(join(root, QUARANTINE, name))));
}

async function readBatch(folder: string): Promise<Batch> {
  const names = await readdir(folder).catch(() => []);
  const text = await readFile(join(folder, BATCH_FILE), "utf8").catch(() => "");
  const record = batchSchema.safeParse(jsonOf(text)).data;
  const blobs = names.filter((name) => BLOB_NAME.test(name));
  let bytes = 0;
  for (const name of blobs) bytes += (await stat(join(folder, name))).size;
  const time = record === undefined ? (await stat(folder)).mtimeMs : Date.parse(record.time);
  return { folder, time, entries: record?.entries ?? [], blobs, bytes };
}

/** Deletes a batch for good; its record first, so that half a batch offers nothing back. */
export async function deleteBatch({ folder }: Batch): Promise<void> {
  await rm(join(folder, BATCH_FILE), { force: true });
  await rm(folder, { recursive: true, force: true });
}

/** Moves a batch's blobs back into the store. The folder stays until its entries are committed. */
export async function returnBlobs(store: BlobStore, { folder, blobs }: Batch): Promise<void> {
  for (const name of blobs) await rename(join(folder, name), join(store.folder, name));
  await syncFolder(store.folder);
}

/**
 * Makes sure, under the lock, that everything the manifests name is in the store. A publisher may have relied on a blob that
 * collection set aside in the meantime: it comes back.
 * @throws RerankTuneError REGISTRY_CORRUPT when a blob is gone.
 */
export async function requireBlobs(store: BlobStore, manifests: readonly Descriptor[]): Promise<void> {
  for (const descriptor of manifests) {
    await requireBlob(store, descriptor);
    const { config, layers }: OciManifest = await readManifest(store, descriptor.digest, "");
    for (const named of [config, ...layers]) await requireBlob(store, named);
  }
}

async function requireBlob(store: BlobStore, { digest, size }: Descriptor): Promise<void> {
  if (await store.exists(digest, size)) return;
  const name = digest.slice("sha256:".length);
  for (const batch of await readdir(join(store.root, QUARANTINE)).catch(() => [])) {
    const aside = join(store.root, QUARANTINE, batch, name);
    if ((await stat(aside).catch(() => undefined))?.size !== size) continue;
    await rename(aside, store.path(digest));
    await syncFolder(store.folder);
    return;
  }
  throw new RerankTuneError({
    code: "REGISTRY_CORRUPT",
    message: `Blob ${digest} is missing or has another size: it went away while the version was being published.`,
    hint: "run the same command again: what is missing is then written anew",
  });
}
