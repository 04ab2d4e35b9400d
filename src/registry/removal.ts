// Taking aliases and versions out of the index: by name, or all that nothing retains. Their blobs stay until collection sets them aside.
import { RerankTuneError } from "../errors.js";
import { type AliasRequest, soundLog } from "./aliases.js";
import { BlobStore } from "./blobs.js";
import { type ChangeOptions, changeIndex } from "./commit.js";
import type { Descriptor, OciIndex } from "./format.js";
import { holdings } from "./history.js";
import { aliasesOf, referrerEntries, versionEntries, withoutAlias } from "./index-file.js";
import { protectedAliases } from "./protection.js";
import { openBatch } from "./quarantine.js";
import { pointing, readManifest, resolveReference } from "./read.js";
import type { LogEntry } from "./reflog.js";

/** A version that leaves the index. */
export interface Leaving {
  name: string;
  digest: string;
}

/** The index without versions and without the reports, signatures and statements on them, unless another name has the same version. */
export async function withoutVersions(
  store: BlobStore,
  index: OciIndex,
  leaving: readonly Leaving[],
): Promise<{ index: OciIndex; dropped: Descriptor[] }> {
  const gone = new Set(leaving.map(({ name, digest }) => `${name}@${digest}`));
  const dropped = new Set<Descriptor>();
  const left = new Set<string>();
  for (const { name, descriptor } of versionEntries(index))
    if (gone.has(`${name}@${descriptor.digest}`)) dropped.add(descriptor);
    else left.add(descriptor.digest);
  const orphaned = new Set(leaving.map(({ digest }) => digest).filter((digest) => !left.has(digest)));
  if (orphaned.size > 0)
    for (const referrer of referrerEntries(index)) {
      const { subject } = await readManifest(store, referrer.digest, "");
      if (subject !== undefined && orphaned.has(subject.digest)) dropped.add(referrer);
    }
  return {
    index: { ...index, manifests: index.manifests.filter((descriptor) => !dropped.has(descriptor)) },
    dropped: [...dropped],
  };
}

/** What the log says of versions that leave. */
export function removals(leaving: readonly Leaving[], reason: string): LogEntry[] {
  return leaving.map(({ name, digest }) => ({ name, alias: null, from: digest, to: null, reason, event: "remove" }));
}

/**
 * Removes one version that no alias holds. It can be put back until the quarantine is emptied.
 * @returns `name@digest`.
 * @throws RerankTuneError REGISTRY_NOT_FOUND; USAGE when an alias holds it, or a protected alias ever did.
 */
export async function removeVersion(
  root: string,
  { reference, reason, ...options }: ChangeOptions & { reference: string; reason: string },
): Promise<{ version: string }> {
  const { now = new Date() } = options;
  return await changeIndex(root, { ...options, now }, async (index) => {
    const { name, descriptor } = resolveReference(root, index, reference);
    const { digest } = descriptor;
    const version = `${name}@${digest}`;
    const holding = pointing(aliasesOf(index, name), digest);
    if (holding.length > 0)
      throw stays(
        version,
        `held by :${holding.join(" and :")}`,
        "move the alias to another version first, or take it away with `rerank-tune registry unalias`",
      );
    const lines = await soundLog(root, index);
    const guard = Object.keys(protectedAliases(index)).find((key) => {
      const [owner = "", alias = ""] = key.split(":");
      return owner === name && holdings(lines, name, alias).some((held) => held.digest === digest);
    });
    if (guard !== undefined)
      throw stays(
        version,
        `${guard} is protected and held it`,
        "what a protected alias held stays; free the alias with `rerank-tune registry unprotect` first",
      );
    const leaving = [{ name, digest }];
    const { index: next, dropped } = await withoutVersions(new BlobStore(root), index, leaving);
    await openBatch(root, { time: now.toISOString(), reason, entries: dropped });
    return { result: { version }, index: next, entries: removals(leaving, reason) };
  });
}

/**
 * Takes an alias away; the version that it held stays, and a rollback brings the alias back.
 * @returns digest of the version that it held.
 * @throws RerankTuneError REGISTRY_NOT_FOUND when there is no such alias; USAGE when it is protected.
 */
export async function removeAlias(
  root: string,
  { name, alias, reason, ...options }: AliasRequest,
): Promise<{ name: string; alias: string; from: string }> {
  return await changeIndex(root, options, async (index) => {
    const from = resolveReference(root, index, `${name}:${alias}`).descriptor.digest;
    if (`${name}:${alias}` in protectedAliases(index))
      throw stays(`${name}:${alias}`, "it is protected", "free it with `rerank-tune registry unprotect` first");
    const entries = [{ name, alias, from, to: null, reason }];
    return { result: { name, alias, from }, index: withoutAlias(index, name, alias), entries };
  });
}

function stays(version: string, why: string, hint: string): RerankTuneError {
  return new RerankTuneError({ code: "USAGE", message: `${version} is not removed: ${why}.`, hint });
}
