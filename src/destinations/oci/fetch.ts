// The way back: a version of an OCI registry into the local one, with what is said about it, under the same digests. Waits outside until all of it is checked.
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { requireSpace } from "../../artifacts/disk-space.js";
import { acquireLock } from "../../artifacts/lock.js";
import { homeFolder } from "../../environment/home.js";
import { RerankTuneError } from "../../errors.js";
import type { Patience } from "../../hub/access.js";
import { bytesLeft, type Download, downloadFile } from "../../hub/download.js";
import { progressOf } from "../../hub/progress.js";
import { refuseUnsafe } from "../../model-folder/incoming.js";
import { contentProblems, type StagedFile } from "../../model-folder/incoming-content.js";
import { type Descriptor, type FrozenVersion, openRegistry, type PublishedVersion } from "../../registry/index.js";
import { checkNames } from "../../registry/reference.js";
import type { DestinationContext } from "../destination.js";
import { address, type OciRepository, openRepository } from "./client.js";
import { refusedStatus } from "./failures.js";
import { blobsOf, type Offer, offeredVersion, readOffer } from "./incoming.js";
import { type OciReference, parseOciReference } from "./reference.js";

export interface FetchOptions extends DestinationContext {
  /** Folder of the local registry; made when there is none. */
  registry: string;
  /** `name` or `name:alias` that it gets here; the last part of the repository and the tag by default. */
  as?: string;
  patience?: Patience;
  /** Throws where the version is not to come in: called when what is said about it is here, before any of its files. */
  accept?(version: FrozenVersion): Promise<void>;
}

export interface FetchedVersion extends PublishedVersion {
  files: number;
  bytes: number;
  referrers: number;
}

/** Another process may be fetching the same version. */
const LOCK_WAIT_MS = 3_600_000;
/** Bytes of a file that is looked into before larger ones follow. */
const SMALL = 16 * 2 ** 20;
const READ_ONLY = 0o444;

/**
 * @param text `oci://host/repository:tag` or `…@sha256:<hex>`.
 * @throws RerankTuneError USAGE, OCI_NOT_FOUND, OCI_UNAUTHORIZED, OCI_FAILED, PACKAGE_INVALID, UNSAFE_INPUT, CHECKSUM_MISMATCH, DISK_FULL; what `accept` throws.
 */
export async function fetchVersion(text: string, options: FetchOptions): Promise<FetchedVersion> {
  const reference = parseOciReference(text);
  const { name, alias } = placeOf(reference, options.as);
  const { variables, signal, emit, patience } = options;
  const repository = await openRepository(reference, {
    variables,
    signal,
    actions: "pull",
    ...(patience === undefined ? {} : { patience }),
  });
  const offer = await readOffer(repository, emit);
  const waiting = join(homeFolder(variables), "oci", `incoming-${offer.digest.slice("sha256:".length)}`);
  const release = await acquireLock(`${waiting}.lock`, { waitMs: LOCK_WAIT_MS });
  try {
    const accept = async () =>
      await options.accept?.(offeredVersion(offer, name, (digest) => placeIn(waiting, digest)));
    await bringIn(repository, offer, waiting, emit, accept);
    const registry = await openRegistry(resolve(options.registry), { create: true });
    const imported = await registry.importVersion({
      name,
      aliases: [alias],
      digest: offer.digest,
      referrers: offer.referrers.map(({ descriptor }) => descriptor.digest),
      source: (digest) => placeIn(waiting, digest),
      linkable: true,
      reason: `fetched from ${repository.shown}`,
      now: options.now(),
    });
    await rm(waiting, { recursive: true, force: true });
    const bytes = offer.files.reduce((sum, { size }) => sum + size, 0);
    return { ...imported, files: offer.files.length, bytes, referrers: offer.referrers.length };
  } finally {
    await release();
  }
}

function placeOf({ repository, tag = "" }: OciReference, as: string | undefined): { name: string; alias: string } {
  const [name = "", alias] = as === undefined ? [repository.split("/").at(-1)] : as.split(":");
  const place = { name, alias: alias ?? (/^[a-z][a-z0-9._-]*$/.test(tag) ? tag : "latest") };
  try {
    checkNames(place.name, place.alias);
  } catch (cause) {
    throw new RerankTuneError({
      code: "USAGE",
      message: `${JSON.stringify(`${place.name}:${place.alias}`)} cannot name a version here.`,
      hint: "name it with --as NAME or --as NAME:ALIAS: lower-case letters, digits and single . _ - between them",
      cause,
    });
  }
  return place;
}

const placeIn = (folder: string, digest: string): string => join(folder, digest.slice("sha256:".length));

/** What is said about the version comes first and small files next, because they can refuse the rest. What is refused goes; what was cut off stays and goes on next time. */
async function bringIn(
  repository: OciRepository,
  offer: Offer,
  waiting: string,
  emit: DestinationContext["emit"],
  accept: () => Promise<void>,
): Promise<void> {
  await mkdir(waiting, { recursive: true });
  await requireSpace(waiting, await missingBytes(waiting, offer.blobs));
  for (const [digest, bytes] of offer.manifests) await writeFile(placeIn(waiting, digest), bytes);
  emit({ type: "phase", name: "blobs" });
  const said = new Set(offer.referrers.flatMap(({ manifest }) => blobsOf(manifest).map(({ digest }) => digest)));
  const statements = offer.blobs.filter(({ digest }) => said.has(digest));
  const files = offer.blobs.filter(({ digest }) => !said.has(digest));
  const small = files.filter(({ size }) => size <= SMALL);
  const large = files.filter(({ size }) => size > SMALL);
  const onProgress = progressOf(offer.blobs.map(asRemote), emit);
  for (const blobs of [statements, small, large]) {
    for (const blob of blobs) await download(repository, blob, placeIn(waiting, blob.digest), onProgress);
    await checkContent(repository, offer, blobs, waiting);
    if (blobs === statements) await orDropped(accept(), waiting);
  }
}

async function orDropped(work: Promise<void>, waiting: string): Promise<void> {
  await work.catch(async (error: unknown) => {
    await rm(waiting, { recursive: true, force: true });
    throw error;
  });
}

async function checkContent(
  repository: OciRepository,
  { files }: Offer,
  blobs: readonly Descriptor[],
  waiting: string,
): Promise<void> {
  const here = new Set(blobs.map(({ digest }) => digest));
  const staged: StagedFile[] = files
    .filter(({ digest }) => here.has(digest))
    .map(({ path, digest }) => ({ path, file: placeIn(waiting, digest) }));
  const problems = await contentProblems(staged, NO_CODE, new Set(files.map(({ path }) => path)));
  if (problems.length > 0) await rm(waiting, { recursive: true, force: true });
  refuseUnsafe(repository.reference.text, problems);
}

const NO_CODE = "do not use it: a model that brings code of its own is not taken into a registry";

const asRemote = ({ digest, size }: Descriptor) => ({
  path: digest,
  size,
  digest: { algorithm: "sha256" as const, hex: digest.slice("sha256:".length) },
});

async function download(
  repository: OciRepository,
  blob: Descriptor,
  target: string,
  onProgress: Download["onProgress"],
): Promise<void> {
  // The downloader would look for a first byte.
  if (blob.size === 0) await writeFile(target, "");
  const settings: Download = {
    access: repository,
    subject: repository.shown,
    address: (digest) => address(repository, `blobs/${digest}`),
    refused: (status, what) => refusedStatus(status, what, repository.shown),
    settings: "HTTPS_PROXY and the address",
    onProgress,
  };
  await downloadFile(settings, asRemote(blob), target);
  await chmod(target, READ_ONLY);
}

async function missingBytes(folder: string, blobs: readonly Descriptor[]): Promise<number> {
  let needed = 0;
  for (const { digest, size } of blobs) needed += await bytesLeft(placeIn(folder, digest), size);
  return needed;
}
