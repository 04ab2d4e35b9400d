// `registry remove|collect`: takes out what nothing needs; first a plan, then a quarantine, deletion last.
import { RerankTuneError } from "../errors.js";
import type { Collection, Restored } from "../registry/index.js";
import { shortDigest } from "../registry/reference.js";
import { plural, size } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { columns } from "../ui/table.js";
import { openLocal, type RegistryFlags } from "./local-registry.js";
import { type ReasonFlags, reasonOf } from "./registry-history.js";

export interface CollectFlags extends RegistryFlags {
  keep: number;
  olderThan: number;
  /** Hours. */
  grace: number;
  /** Days. */
  quarantine: number;
  dryRun?: boolean;
  yes?: boolean;
  restore?: boolean;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** @throws RerankTuneError REGISTRY_NOT_FOUND; USAGE when an alias holds the version. */
export async function removeFromRegistry(version: string, flags: ReasonFlags): Promise<Renderable> {
  const registry = await openLocal(flags);
  const removed = await registry.remove({ reference: version, reason: reasonOf(flags) });
  return {
    data: removed,
    essential: removed.version,
    text: () => `removed ${removed.version}\nits bytes stay until \`registry collect --yes\`; --restore takes it back`,
  };
}

/** @throws RerankTuneError USAGE when the flags contradict each other; REGISTRY_CORRUPT, FOLDER_IN_USE. */
export async function collectRegistry(flags: CollectFlags): Promise<Renderable> {
  const registry = await openLocal(flags);
  if (flags.dryRun === true && (flags.yes === true || flags.restore === true)) throw contradiction();
  if (flags.restore === true) {
    const restored = await registry.restore({ now: new Date(), reason: "collect --restore" });
    return { data: restored, essential: size(restored.bytes), text: () => restoredText(restored) };
  }
  const collection = await registry.collect({
    keep: flags.keep,
    olderThanDays: flags.olderThan,
    graceMs: flags.grace * HOUR_MS,
    quarantineMs: flags.quarantine * DAY_MS,
    carryOut: flags.yes === true,
    now: new Date(),
  });
  return {
    data: collection,
    essential: String(collection.set_aside.bytes),
    text: () => collectionText(collection, flags),
  };
}

function contradiction(): RerankTuneError {
  return new RerankTuneError({
    code: "USAGE",
    message: "--dry-run does not go with --yes or --restore.",
    hint: "leave --dry-run out to carry it out; without --yes nothing is changed either",
  });
}

function collectionText(collection: Collection, flags: CollectFlags): string {
  const { carried_out, versions, set_aside, young, kept, deleted, batch } = collection;
  const pile = (title: string, { blobs, bytes }: { blobs: number; bytes: number }, note = ""): string[] => [
    title,
    plural(blobs, "blob"),
    size(bytes),
    note,
  ];
  const linked = set_aside.linked_bytes === 0 ? "" : `${size(set_aside.linked_bytes)} also linked elsewhere`;
  const rows = [
    pile("set aside", set_aside, linked),
    pile("too young", young, young.blobs === 0 ? "" : `under ${flags.grace} h`),
    pile("kept", kept),
    pile("deleted", deleted, deleted.batches === 0 ? "" : `aside for ${flags.quarantine} days`),
  ];
  const leaving = versions.map(({ name, digest, last_held }) => [
    `  ${name}`,
    shortDigest(digest),
    last_held === null ? "" : `held until ${last_held.slice(0, 10)}`,
  ]);
  const head =
    versions.length === 0
      ? "no version leaves"
      : `${plural(versions.length, "version")} ${carried_out ? "left" : "would leave"}`;
  const end = carried_out
    ? batch === null
      ? "nothing was set aside"
      : `set aside as ${batch}; \`rerank-tune registry collect --restore\` takes it back`
    : "nothing was changed; add --yes to do it";
  return [head, ...columns(leaving, [1, 2]), ...columns(rows, [3]), end].join("\n");
}

function restoredText({ versions, blobs, bytes }: Restored): string {
  const back = versions.map((version) => `  ${version}`);
  return [`took back ${plural(blobs, "blob")}, ${size(bytes)}, ${plural(versions.length, "version")}`, ...back].join(
    "\n",
  );
}
