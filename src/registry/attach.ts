// Manifests put beside a version that is there already: signatures, statements, reports. The version itself never changes.
import { BlobStore, BlobWriter } from "./blobs.js";
import { commitReferrers } from "./commit.js";
import type { Descriptor, OciIndex } from "./format.js";
import { type Referrer, writeReferrer } from "./publish.js";
import { readManifest, resolveReference } from "./read.js";

export interface Attached {
  /** `name@sha256:<hex>`. */
  version: string;
  /** Digests of the manifests, in the order they were given. */
  digests: string[];
  /** How many the version did not have yet. */
  added: number;
}

/** @throws RerankTuneError REGISTRY_NOT_FOUND, REGISTRY_CORRUPT, FOLDER_IN_USE; file-system errors as they are. */
export async function attachTo(
  root: string,
  index: OciIndex,
  reference: string,
  referrers: readonly Referrer[],
): Promise<Attached> {
  const store = new BlobStore(root);
  const { name, descriptor } = resolveReference(root, index, reference);
  await readManifest(store, descriptor.digest); // nothing is said of what is damaged
  const writer = new BlobWriter(store);
  await writer.open();
  try {
    const written: Descriptor[] = [];
    for (const referrer of referrers) written.push(await writeReferrer(referrer, descriptor, writer));
    await writer.flush();
    const added = await commitReferrers(root, descriptor.digest, written);
    return { version: `${name}@${descriptor.digest}`, digests: written.map(({ digest }) => digest), added };
  } finally {
    await writer.close();
  }
}
