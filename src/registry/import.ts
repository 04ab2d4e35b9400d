// Taking in a version that was made elsewhere: its manifest, config, files and referrers as they are, byte for byte, every digest checked.
import { readFile } from "node:fs/promises";
import { hashText } from "../artifacts/hash.js";
import { jsonOf } from "../artifacts/json-value.js";
import { RerankTuneError } from "../errors.js";
import { BlobStore, BlobWriter, type StoredBlob } from "./blobs.js";
import { commitVersion } from "./commit.js";
import { type Descriptor, MANIFEST_TYPE, MODEL_TYPE, manifestSchema, type OciManifest } from "./format.js";
import type { PublishedVersion } from "./publish.js";
import { layerFiles } from "./pull.js";
import { checkNames } from "./reference.js";

/** Where the bytes of a digest are now. */
export type BlobSource = (digest: string) => string;

export interface ImportRequest {
  name: string;
  /** Moved to the version in one step. */
  aliases: readonly [string, ...string[]];
  /** `sha256:<hex>` of the version's manifest. */
  digest: string;
  /** `sha256:<hex>` of manifests whose subject is the version. */
  referrers: readonly string[];
  source: BlobSource;
  /** The source is read-only and ours, so that its files may be linked; else they are copied and share nothing with it. */
  linkable?: boolean;
  /** Why the aliases move, for the reflog. */
  reason: string;
  now?: Date;
  lockWaitMs?: number;
}

/** @throws RerankTuneError USAGE, PACKAGE_INVALID where bytes or manifests are not what their digests say, FOLDER_IN_USE. */
export async function importInto(root: string, request: ImportRequest): Promise<PublishedVersion> {
  const { name, aliases, digest, source, reason, now = new Date(), lockWaitMs } = request;
  for (const alias of aliases) checkNames(name, alias);
  const writer = new BlobWriter(new BlobStore(root));
  await writer.open();
  try {
    const add = (blob: string) =>
      request.linkable === true
        ? writer.addFile(source(blob), blob.slice("sha256:".length))
        : writer.addCopy(source(blob), blob);
    const take = async (manifest: string, subject?: string): Promise<Descriptor> =>
      await importManifest(manifest, await readFile(source(manifest)), subject, add, writer);
    const version = await take(digest);
    const referrers: Descriptor[] = [];
    for (const referrer of request.referrers) referrers.push(await take(referrer, digest));
    await writer.flush();
    const added = await commitVersion(root, { name, aliases, version, referrers, reason, now, lockWaitMs });
    const full = `${name}@${digest}`;
    return { name, alias: aliases[0], digest, version: full, added, bytes_added: writer.bytesAdded };
  } finally {
    await writer.close();
  }
}

/** Blobs first, their manifest behind them. @param subject what a referrer must be of; undefined for a version. */
async function importManifest(
  digest: string,
  bytes: Buffer,
  subject: string | undefined,
  add: (digest: string) => Promise<StoredBlob>,
  writer: BlobWriter,
): Promise<Descriptor> {
  if (`sha256:${hashText(bytes)}` !== digest) throw invalid(digest, "does not match its digest");
  const manifest = parseManifest(bytes, digest, subject);
  if (subject === undefined) layerFiles(manifest, digest);
  for (const blob of [manifest.config, ...manifest.layers]) {
    const stored = await add(blob.digest);
    if (stored.size !== blob.size) throw invalid(blob.digest, `has ${stored.size} bytes, not ${blob.size} as listed`);
  }
  await writer.addBytes(bytes);
  return { mediaType: MANIFEST_TYPE, artifactType: manifest.artifactType, digest, size: bytes.length };
}

/**
 * A manifest from elsewhere, as this registry can keep it.
 * @param subject digest that it must be about; undefined where it must be a model.
 * @throws RerankTuneError PACKAGE_INVALID.
 */
export function parseManifest(bytes: Buffer, digest: string, subject: string | undefined): OciManifest {
  const { data } = manifestSchema.safeParse(jsonOf(bytes.toString("utf8")));
  if (data === undefined) throw invalid(digest, "is no OCI image manifest with an artifactType");
  const isModel = data.artifactType === MODEL_TYPE;
  if (subject === undefined && (!isModel || data.subject !== undefined))
    throw invalid(digest, `holds ${data.artifactType}, and no model (${MODEL_TYPE})`);
  if (subject !== undefined && (isModel || data.subject?.digest !== subject))
    throw invalid(digest, "is no statement about this version");
  return data;
}

function invalid(digest: string, what: string): RerankTuneError {
  return new RerankTuneError({
    code: "PACKAGE_INVALID",
    message: `${digest} ${what}.`,
    hint: "name a version that `rerank-tune publish` released, or another raw ModelPack artefact",
  });
}
