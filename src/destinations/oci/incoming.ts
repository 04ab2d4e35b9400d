// What an OCI registry offers as a version, judged before a byte of it is written. Reads manifests alone.
import { type Problem, RerankTuneError } from "../../errors.js";
import type { StageEvent } from "../../events.js";
import { incomingProblems, refuseUnsafe } from "../../model-folder/incoming.js";
import {
  type Descriptor,
  FILE_PATH,
  type FrozenReferrer,
  type FrozenVersion,
  frozenOf,
  INDEX_TYPE,
  MANIFEST_TYPE,
  type OciManifest,
  parseManifest,
} from "../../registry/index.js";
import { type OciRepository, type RemoteManifest, readManifest } from "./client.js";
import { refusedStatus } from "./failures.js";
import { listReferrers } from "./referrers.js";

export interface Offer {
  digest: string;
  manifest: OciManifest;
  /** Manifests as they came, by digest: that of the version first. */
  manifests: Map<string, Buffer>;
  /** Every blob once. */
  blobs: Descriptor[];
  /** Path by digest of the version's own files; a digest may have several. */
  files: { path: string; digest: string; size: number }[];
  descriptor: Descriptor;
  /** What is said about it. */
  referrers: FrozenReferrer[];
}

const MOST_REFERRERS = 100;
/** Bytes of a config, a report or a signature. */
const LARGEST_STATEMENT = 64 * 2 ** 20;

/**
 * @throws RerankTuneError OCI_NOT_FOUND; PACKAGE_INVALID when it is no model of this format; UNSAFE_INPUT when its files may not come in.
 */
export async function readOffer(repository: OciRepository, emit: (event: StageEvent) => void): Promise<Offer> {
  const { reference } = repository;
  const wanted = reference.digest ?? reference.tag ?? "";
  const remote = await readManifest(repository, wanted);
  if (remote === undefined) throw refusedStatus(404, `the manifest ${wanted}`, repository.shown);
  if (remote.mediaType.startsWith(INDEX_TYPE)) throw severalInOne(reference.text);
  const manifest = parseManifest(remote.bytes, remote.digest, undefined);
  const files = manifest.layers.map(({ digest, size, annotations }) => ({
    path: annotations?.[FILE_PATH] ?? "",
    digest,
    size,
  }));
  refuseUnsafe(reference.text, [...incomingProblems(files), ...formProblems(manifest)]);
  const manifests = new Map([[remote.digest, remote.bytes]]);
  const statements = await readStatements(repository, remote.digest, emit);
  for (const { digest, bytes } of statements) manifests.set(digest, bytes);
  const referrers = statements.map((statement) => ({
    descriptor: describe(statement, statement.manifest),
    manifest: statement.manifest,
  }));
  const blobs = eachOnce([manifest, ...statements.map((statement) => statement.manifest)].flatMap(blobsOf));
  return {
    digest: remote.digest,
    descriptor: describe(remote, manifest),
    manifest,
    manifests,
    blobs,
    files,
    referrers,
  };
}

/** Everything that a manifest names. */
export const blobsOf = ({ config, layers }: OciManifest): Descriptor[] => [config, ...layers];

function describe({ digest, bytes }: RemoteManifest, { artifactType }: OciManifest): Descriptor {
  return { mediaType: MANIFEST_TYPE, artifactType, digest, size: bytes.length };
}

/**
 * What is offered, in the form in which signatures are judged.
 * @param blob where the bytes of a digest wait; those of the files need not be there yet.
 */
export function offeredVersion(
  { descriptor, manifest, referrers }: Offer,
  name: string,
  blob: (digest: string) => string,
): FrozenVersion {
  return frozenOf({ name, aliases: [], descriptor, manifest, referrers, blob });
}

/** Layers that are no files, and sizes that cannot be. */
function formProblems({ config, layers }: OciManifest): Problem[] {
  const problems: Problem[] = [];
  const sizes = new Map<string, number>();
  for (const { mediaType, digest, size, annotations } of layers) {
    const path = annotations?.[FILE_PATH] ?? digest;
    if (/tar|gzip|zstd/.test(mediaType))
      problems.push({ path, message: `is packed (${mediaType}), and only raw files are taken` });
    if ((sizes.get(digest) ?? size) !== size) problems.push({ path, message: "has two sizes for one digest" });
    sizes.set(digest, size);
  }
  if (config.size > LARGEST_STATEMENT || (sizes.get(config.digest) ?? config.size) !== config.size)
    problems.push({ path: "config", message: `has ${config.size} bytes, which no config has` });
  return problems;
}

interface Statement extends RemoteManifest {
  manifest: OciManifest;
}

/** What this registry cannot keep, such as a statement without a type, stays behind and is named. */
async function readStatements(
  repository: OciRepository,
  subject: string,
  emit: (event: StageEvent) => void,
): Promise<Statement[]> {
  const listed = await listReferrers(repository, subject);
  const digests = [...new Set(listed.map(({ digest }) => digest))];
  if (digests.length > MOST_REFERRERS)
    refuseUnsafe(repository.shown, [
      { path: "referrers", message: `are ${digests.length}, more than ${MOST_REFERRERS}` },
    ]);
  const found: Statement[] = [];
  for (const digest of digests) {
    const statement = await readStatement(repository, digest, subject);
    if (typeof statement === "string") emit({ type: "warning", message: `${digest} stays behind: it ${statement}` });
    else found.push(statement);
  }
  return found;
}

async function readStatement(repository: OciRepository, digest: string, subject: string): Promise<Statement | string> {
  const remote = await readManifest(repository, digest);
  if (remote === undefined) return "is listed and not there";
  try {
    const manifest = parseManifest(remote.bytes, digest, subject);
    const isLarge = blobsOf(manifest).some(({ size }) => size > LARGEST_STATEMENT);
    return isLarge ? "is too large for a statement" : { ...remote, manifest };
  } catch (error) {
    if (!(error instanceof RerankTuneError)) throw error;
    return "is of a form that cannot be kept here";
  }
}

function eachOnce(blobs: readonly Descriptor[]): Descriptor[] {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()].sort((left, right) => left.size - right.size);
}

function severalInOne(text: string): RerankTuneError {
  return new RerankTuneError({
    code: "PACKAGE_INVALID",
    message: `${text} is an index of several manifests, and no model.`,
    hint: "name one of them by its digest",
  });
}
