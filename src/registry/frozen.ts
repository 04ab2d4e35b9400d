// A version as whoever releases, serves or signs it sees it: its manifest, and every file with the read-only blob that holds it.
import { BlobStore } from "./blobs.js";
import type { Descriptor, OciIndex, OciManifest } from "./format.js";
import { aliasesOf } from "./index-file.js";
import { type FrozenReferrer, filesOf, pointing, readManifest, referrersOf, resolveReference } from "./read.js";

export interface FrozenFile {
  /** Path in the model folder, with forward slashes. */
  path: string;
  bytes: number;
  /** Hex. */
  sha256: string;
  media_type: string;
  /** Absolute path of its bytes; read-only, and what was hashed when it came in. */
  blob: string;
}

export interface FrozenVersion {
  name: string;
  /** `name@sha256:<hex>`. */
  version: string;
  /** `sha256:<hex>` of the manifest. */
  digest: string;
  /** Sorted. */
  aliases: string[];
  descriptor: Descriptor;
  manifest: OciManifest;
  /** Sorted by path, as in the manifest. */
  files: FrozenFile[];
  /** In the order of publication. */
  referrers: FrozenReferrer[];
  /** Absolute path of a blob by its digest, for manifests and configs. */
  blob(digest: string): string;
}

/** What follows from a manifest and from where its bytes lie. */
export function frozenOf(
  given: Pick<FrozenVersion, "name" | "aliases" | "descriptor" | "manifest" | "referrers" | "blob">,
): FrozenVersion {
  const { name, descriptor, manifest, blob } = given;
  const { digest } = descriptor;
  const files = filesOf(manifest).map((file) => ({ ...file, blob: blob(`sha256:${file.sha256}`) }));
  return { ...given, version: `${name}@${digest}`, digest, files };
}

/** @throws RerankTuneError REGISTRY_NOT_FOUND, REGISTRY_CORRUPT when the manifest is damaged; the files are not read here. */
export async function frozenVersion(root: string, index: OciIndex, reference: string): Promise<FrozenVersion> {
  const store = new BlobStore(root);
  const { name, descriptor } = resolveReference(root, index, reference);
  const manifest = await readManifest(store, descriptor.digest);
  return frozenOf({
    name,
    aliases: pointing(aliasesOf(index, name), descriptor.digest),
    descriptor,
    manifest,
    referrers: await referrersOf(store, index, descriptor.digest),
    blob: (digest) => store.path(digest),
  });
}
