// `--to oci://host/repository:tag`: a version and what is said about it into an OCI registry; blobs first, manifests behind them, the tag last.
import { readFile } from "node:fs/promises";
import { RerankTuneError } from "../../errors.js";
import { PATIENCE, type Patience } from "../../hub/access.js";
import { type Descriptor, type FrozenVersion, type OciManifest, REPORT_TYPE } from "../../registry/index.js";
import { shortDigest } from "../../registry/reference.js";
import type {
  Destination,
  DestinationContext,
  PreparedRelease,
  Release,
  ReleasePlan,
  ReleaseStep,
} from "../destination.js";
import { hasBlob, type OciRepository, openRepository, putManifest, readManifest } from "./client.js";
import { failed } from "./failures.js";
import { UploadMemory } from "./memory.js";
import { FORM, parseOciReference, type Scheme } from "./reference.js";
import { putReferrer } from "./referrers.js";
import { type Delivery, type OutgoingBlob, sendBlob } from "./upload.js";

export interface OciSettings {
  patience: Patience;
  /** Bytes of a chunk. */
  chunkBytes: number;
}

/** Proxies before registries often let 100 MB through in one request. */
const SETTINGS: OciSettings = { patience: PATIENCE, chunkBytes: 64 * 2 ** 20 };

/** @param settings for tests: patience and chunks in little. */
export function ociDestination(settings: Partial<OciSettings> = {}, scheme: Scheme = "oci"): Destination {
  return {
    scheme,
    form: FORM.replace("oci", scheme),
    description: `an OCI registry, such as Harbor, Zot, GHCR or docker-registry${scheme === "oci" ? "" : ", without encryption"}`,
    prepare: (target, version, context) => prepare(target, version, context, { ...SETTINGS, ...settings }),
  };
}

interface Work {
  repository: OciRepository;
  version: FrozenVersion;
  context: DestinationContext;
  memory: UploadMemory;
  settings: OciSettings;
  tag: string;
}

async function prepare(
  target: string,
  version: FrozenVersion,
  context: DestinationContext,
  settings: OciSettings,
): Promise<PreparedRelease> {
  const reference = parseOciReference(target);
  const { tag } = reference;
  if (tag === undefined || tag === "")
    throw new RerankTuneError({
      code: "USAGE",
      message: "A release needs a tag, and a digest names none.",
      hint: `write ${FORM}`,
    });
  const { variables, signal } = context;
  const memory = new UploadMemory(variables, reference.origin);
  const blobs = blobsOf(version);
  const places = await Promise.all(blobs.map(({ digest }) => memory.repositoryWith(digest)));
  const mountFrom = [...new Set(places)].filter(
    (place) => place !== undefined && place !== reference.repository,
  ) as string[];
  const { patience } = settings;
  const repository = await openRepository(reference, { variables, signal, actions: "pull,push", mountFrom, patience });
  const work = { repository, version, context, memory, settings, tag };
  return { plan: await planOf(work, blobs), carryOut: () => carryOut(work, blobs) };
}

/** Each once, the small ones first: what would be refused is refused early. */
function blobsOf({ manifest, referrers, blob }: FrozenVersion): OutgoingBlob[] {
  const found = new Map<string, OutgoingBlob>();
  const add = ({ config, layers }: OciManifest): void => {
    for (const { digest, size: bytes } of [config, ...layers])
      found.set(digest, { digest, size: bytes, file: blob(digest) });
  };
  add(manifest);
  for (const referrer of referrers) add(referrer.manifest);
  return [...found.values()].sort((left, right) => left.size - right.size);
}

async function planOf({ repository, version, tag }: Work, blobs: readonly OutgoingBlob[]): Promise<ReleasePlan> {
  const missing: OutgoingBlob[] = [];
  for (const blob of blobs) if (!(await hasBlob(repository, blob.digest, blob.size))) missing.push(blob);
  const before = await readManifest(repository, tag);
  const bytes = missing.reduce((sum, blob) => sum + blob.size, 0);
  const moves =
    before?.digest === version.digest
      ? `keep the tag ${tag}`
      : before === undefined
        ? `set the tag ${tag}`
        : `move the tag ${tag} from ${shortDigest(before.digest)}`;
  const steps: ReleaseStep[] = [
    { does: `send ${missing.length} of ${blobs.length} blobs to ${repository.shown}`, bytes },
    { does: `write the manifest ${shortDigest(version.digest)}` },
    ...(version.referrers.length === 0
      ? []
      : [{ does: `write the reports and statements about it (${version.referrers.length})` }]),
    { does: moves },
  ];
  const notes = [
    "who may read it is for the registry to decide: a repository may be public",
    ...(version.referrers.some(({ manifest }) => manifest.artifactType === REPORT_TYPE)
      ? ["verify's report goes along, which may name the sources and guard sets of your data"]
      : []),
    ...(repository.reference.origin.startsWith("http:") ? ["plain http: nothing is encrypted on the way"] : []),
  ];
  return { target: repository.reference.text, version: version.version, steps, bytes, notes };
}

async function carryOut(work: Work, blobs: readonly OutgoingBlob[]): Promise<Release> {
  const { repository, version, context, memory, tag } = work;
  const { sent, deliveries } = await sendBlobs(work, blobs);
  context.emit({ type: "phase", name: "manifests" });
  const manifest = await readFile(version.blob(version.digest));
  await putManifest(repository, version.digest, manifest);
  for (const { descriptor } of version.referrers)
    await putReferrer(repository, version.digest, descriptor, await readFile(version.blob(descriptor.digest)));
  await checkStored(
    work,
    blobs,
    version.referrers.map(({ descriptor }) => descriptor),
  );
  await putManifest(repository, tag, manifest);
  const there = await readManifest(repository, tag);
  if (there?.digest !== version.digest)
    throw failed(
      `${repository.shown}:${tag} is ${there?.digest ?? "not there"} right after it was set to ${version.digest}`,
    );
  await memory.keepPlaces(
    repository.reference.repository,
    blobs.map(({ digest }) => digest),
  );
  const mounted = deliveries.filter((delivery) => delivery === "mounted").length;
  if (mounted > 0)
    context.emit({ type: "note", message: `${mounted} blobs were mounted from another repository of the registry` });
  return {
    target: repository.reference.text,
    version: version.version,
    address: `${repository.shown}:${tag}`,
    revision: version.digest,
    files: version.files.length,
    bytes_sent: sent,
    use: commandsFor(repository, tag, version.digest),
  };
}

function commandsFor({ reference: { text, origin }, shown }: OciRepository, tag: string, digest: string): string[] {
  const plain = origin.startsWith("http:") ? "--src-tls-verify=false " : "";
  return [
    `rerank-tune registry fetch ${text.slice(0, -`:${tag}`.length)}@${digest}`,
    `skopeo copy ${plain}docker://${shown}@${digest} oci:FOLDER`,
  ];
}

async function sendBlobs(
  { repository, context, memory, settings }: Work,
  blobs: readonly OutgoingBlob[],
): Promise<{ sent: number; deliveries: Delivery[] }> {
  const { emit } = context;
  const total = blobs.reduce((sum, blob) => sum + blob.size, 0);
  emit({ type: "phase", name: "blobs" });
  let sent = 0;
  let done = 0;
  const deliveries: Delivery[] = [];
  for (const blob of blobs) {
    let ofBlob = 0;
    const onSent = (bytes: number): void => {
      sent += bytes;
      ofBlob += bytes;
      emit({ type: "progress", completed: Math.min(total, done + ofBlob), total, unit: "bytes" });
    };
    deliveries.push(await sendBlob(repository, blob, { chunkBytes: settings.chunkBytes, memory, onSent }));
    done += blob.size;
  }
  return { sent, deliveries };
}

/** Before the tag makes it visible: everything it needs is there. @throws RerankTuneError OCI_FAILED */
async function checkStored(
  { repository, version }: Work,
  blobs: readonly OutgoingBlob[],
  referrers: readonly Descriptor[],
): Promise<void> {
  for (const blob of blobs)
    if (!(await hasBlob(repository, blob.digest, blob.size)))
      throw failed(`${repository.shown} took ${blob.digest} and does not have it`);
  for (const digest of [version.digest, ...referrers.map((referrer) => referrer.digest)])
    if ((await readManifest(repository, digest)) === undefined)
      throw failed(`${repository.shown} took the manifest ${digest} and does not have it`);
}
