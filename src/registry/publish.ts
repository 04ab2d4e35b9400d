// Publishing one version: files become blobs, blobs become manifests; the commit makes them visible.
import { canonicalJson } from "../artifacts/hash.js";
import { RerankTuneError } from "../errors.js";
import { BlobStore, BlobWriter } from "./blobs.js";
import { commitVersion } from "./commit.js";
import {
  type Descriptor,
  EMPTY_TYPE,
  FILE_PATH,
  MANIFEST_TYPE,
  MODEL_CONFIG_TYPE,
  MODEL_TYPE,
  mediaTypeOf,
  type OciManifest,
} from "./format.js";
import { filesOf } from "./read.js";
import { checkNames, clashingPath, pathProblem } from "./reference.js";

export interface PublishedFile {
  /** Path in the model folder, with forward slashes. */
  path: string;
  /** A file on disk, or its content. */
  source: string | { content: string | Uint8Array };
  /** ModelPack layer type; by the file's name when absent. */
  mediaType?: string;
  /** sha256 (hex) the file is known to have; a file the registry holds already is then not read again. */
  sha256?: string;
}

export interface Referrer {
  artifactType: string;
  /** Travels as it is; may hold timings, since it does not enter the model's digest. */
  content: string;
  annotations?: Record<string, string>;
}

export interface PublishRequest {
  name: string;
  alias: string;
  files: readonly PublishedFile[];
  /** ModelPack `descriptor` and `config`; `modelfs` is added here. */
  config: { descriptor: Record<string, unknown>; config: Record<string, unknown> };
  annotations?: Record<string, string>;
  referrers?: readonly Referrer[];
  /** What can be made only when the version's digest is known, such as a signature; visible in the same step as the version. */
  evidence?(version: VersionFacts): Promise<readonly Referrer[]>;
  /** Why the alias moves, for the reflog. */
  reason?: string;
  now?: Date;
  lockWaitMs?: number;
}

/** What a version is, before anybody can see it. */
export interface VersionFacts {
  name: string;
  /** `sha256:<hex>` of the manifest. */
  digest: string;
  files: readonly { path: string; sha256: string }[];
}

export interface PublishedVersion {
  name: string;
  alias: string;
  /** `sha256:<hex>` of the manifest. */
  digest: string;
  /** `name@sha256:<hex>`. */
  version: string;
  /** False when the same content had been published before. */
  added: boolean;
  /** Bytes that the registry did not have yet. */
  bytes_added: number;
}

/** @throws RerankTuneError USAGE, PACKAGE_INVALID, FOLDER_IN_USE; file-system errors as they are. */
export async function publishInto(root: string, request: PublishRequest): Promise<PublishedVersion> {
  checkRequest(request);
  const writer = new BlobWriter(new BlobStore(root));
  await writer.open();
  try {
    const { version, facts } = await writeModel(request, writer);
    const referrers: Descriptor[] = [];
    for (const referrer of [...(request.referrers ?? []), ...((await request.evidence?.(facts)) ?? [])])
      referrers.push(await writeReferrer(referrer, version, writer));
    await writer.flush();
    const { name, alias, reason = "publish", now = new Date(), lockWaitMs } = request;
    const added = await commitVersion(root, { name, aliases: [alias], version, referrers, reason, now, lockWaitMs });
    return {
      name,
      alias,
      digest: version.digest,
      version: `${name}@${version.digest}`,
      added,
      bytes_added: writer.bytesAdded,
    };
  } finally {
    await writer.close();
  }
}

async function writeModel(
  request: PublishRequest,
  writer: BlobWriter,
): Promise<{ version: Descriptor; facts: VersionFacts }> {
  const layers: Descriptor[] = [];
  for (const file of [...request.files].sort((left, right) => (left.path < right.path ? -1 : 1))) {
    const blob =
      typeof file.source === "string"
        ? await writer.addFile(file.source, file.sha256)
        : await writer.addBytes(file.source.content);
    layers.push({
      mediaType: file.mediaType ?? mediaTypeOf(file.path),
      digest: blob.digest,
      size: blob.size,
      annotations: { [FILE_PATH]: file.path },
    });
  }
  const modelfs = { type: "layers", diffIds: layers.map(({ digest }) => digest) };
  const config = await writer.addBytes(canonicalJson({ ...request.config, modelfs }));
  const manifest: OciManifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: MODEL_TYPE,
    config: { mediaType: MODEL_CONFIG_TYPE, digest: config.digest, size: config.size },
    layers,
    ...annotated(request.annotations),
  };
  const version = await describe(manifest, writer);
  const files = filesOf(manifest).map(({ path, sha256 }) => ({ path, sha256 }));
  return { version, facts: { name: request.name, digest: version.digest, files } };
}

/** The blobs of a manifest beside `subject`; a commit makes it visible. */
export async function writeReferrer(referrer: Referrer, subject: Descriptor, writer: BlobWriter): Promise<Descriptor> {
  const config = await writer.addBytes("{}");
  const content = await writer.addBytes(referrer.content);
  const { mediaType, digest, size } = subject;
  const manifest: OciManifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: referrer.artifactType,
    config: { mediaType: EMPTY_TYPE, digest: config.digest, size: config.size },
    layers: [{ mediaType: referrer.artifactType, digest: content.digest, size: content.size }],
    subject: { mediaType, digest, size },
    ...annotated(referrer.annotations),
  };
  return await describe(manifest, writer);
}

/** Canonical JSON, so that the same content always has the same digest. */
async function describe(manifest: OciManifest, writer: BlobWriter): Promise<Descriptor> {
  const blob = await writer.addBytes(canonicalJson(manifest));
  return { mediaType: MANIFEST_TYPE, artifactType: manifest.artifactType, digest: blob.digest, size: blob.size };
}

function annotated(annotations: Record<string, string> | undefined): Pick<OciManifest, "annotations"> {
  return annotations === undefined ? {} : { annotations };
}

function checkRequest({ name, alias, files }: PublishRequest): void {
  checkNames(name, alias);
  const paths = files.map(({ path }) => path);
  const bad = paths.find((path) => pathProblem(path) !== undefined);
  const clash = clashingPath(paths);
  if (bad === undefined && clash === undefined && paths.length > 0) return;
  const message =
    bad !== undefined
      ? `${JSON.stringify(bad)} cannot be published: ${pathProblem(bad)}.`
      : clash !== undefined
        ? `${JSON.stringify(clash)} is in the version twice.`
        : "A version without files cannot be published.";
  throw new RerankTuneError({
    code: "PACKAGE_INVALID",
    message,
    hint: "run `rerank-tune run RECIPE` again to rebuild the package",
  });
}
