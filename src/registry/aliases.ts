// Moving an alias by hand: to a version, back to an earlier one, and under or out of protection. Every move is one line of the log.
import { RerankTuneError } from "../errors.js";
import { BlobStore } from "./blobs.js";
import { type Change, type ChangeOptions, changeIndex, gateReport } from "./commit.js";
import { type OciIndex, REFLOG_HEAD } from "./format.js";
import { newestReport, objectionsTo, passGate } from "./gate.js";
import { versionsBefore } from "./history.js";
import { aliasesOf, versionEntries, withVersion } from "./index-file.js";
import { type GateRule, protectedAliases, withProtection } from "./protection.js";
import { resolveReference } from "./read.js";
import { checkNames } from "./reference.js";
import { type ReflogLine, readReflog } from "./reflog.js";

/** Why and when; `now` is the time in the log. */
export interface AliasRequest extends ChangeOptions {
  name: string;
  alias: string;
  reason: string;
}

export interface MovedAlias {
  name: string;
  alias: string;
  /** Digests; `from` is null where the alias is new. */
  from: string | null;
  to: string;
  /** False when it stood there already: nothing was written. */
  moved: boolean;
  /** Digest of verify's report on which the move rests; null where the version carries none. */
  gate_report: string | null;
}

/**
 * Moves an alias to a version of its own model.
 * @param reference `name:alias` or `name@sha256:<hex>`.
 * @throws RerankTuneError REGISTRY_NOT_FOUND; GATE_FAILED when the alias is protected and the version does not pass; USAGE.
 */
export async function moveAlias(
  root: string,
  { reference, alias, reason, ...options }: Omit<AliasRequest, "name"> & { reference: string },
): Promise<MovedAlias> {
  return await changeIndex(root, options, async (index) => {
    const { name, descriptor } = resolveReference(root, index, reference);
    checkNames(name, alias);
    return await movedTo(root, index, { name, alias, reason }, descriptor.digest);
  });
}

/**
 * Moves an alias back, to the version before or to a named one.
 * A version that the alias held before is let through even where it would not pass today: it was in use.
 * @throws RerankTuneError REGISTRY_NOT_FOUND when there is nothing to go back to; GATE_FAILED; REGISTRY_CORRUPT when the log is damaged.
 */
export async function rollback(
  root: string,
  { name, alias, to, reason, ...options }: AliasRequest & { to?: string },
): Promise<MovedAlias> {
  return await changeIndex(root, options, async (index) => {
    const before = versionsBefore(await soundLog(root, index), name, alias);
    const there = new Set(
      versionEntries(index).flatMap((entry) => (entry.name === name ? entry.descriptor.digest : [])),
    );
    const target =
      to === undefined ? before.filter((digest) => there.has(digest)).at(-1) : named(root, index, name, to);
    if (target === undefined) throw nothingBefore(name, alias);
    return await movedTo(root, index, { name, alias, reason, event: "rollback" }, target, before.includes(target));
  });
}

function named(root: string, index: OciIndex, name: string, reference: string): string {
  const found = resolveReference(root, index, reference);
  if (found.name === name) return found.descriptor.digest;
  throw new RerankTuneError({
    code: "USAGE",
    message: `${reference} is a version of ${found.name}, not of ${name}.`,
    hint: `see \`rerank-tune registry log ${name}\` for what it held`,
  });
}

/** @param held whether the alias held the version before, so that no gate is asked. */
async function movedTo(
  root: string,
  index: OciIndex,
  entry: { name: string; alias: string; reason: string; event?: "rollback" },
  to: string,
  held = false,
): Promise<Change<MovedAlias>> {
  const { name, alias } = entry;
  const store = new BlobStore(root);
  const from = aliasesOf(index, name)[alias] ?? null;
  const version = versionEntries(index).find((found) => found.name === name && found.descriptor.digest === to);
  if (version === undefined) throw nothingBefore(name, alias);
  const next = withVersion(index, name, alias, version.descriptor, []);
  const report =
    held || from === to ? (await newestReport(store, index, to))?.digest : await passGate(store, next, name, alias, to);
  const result = { name, alias, from, to, moved: from !== to, gate_report: report ?? null };
  return from === to ? { result } : { result, index: next, entries: [{ ...entry, from, to, ...gateReport(report) }] };
}

export interface Protection {
  name: string;
  alias: string;
  /** Null when the alias is free now. */
  rule: GateRule | null;
  /** False when it was so already: nothing was written. */
  changed: boolean;
  /** Why the version that the alias holds now would not be let in; it stays where it is. */
  objections: string[];
}

/**
 * Protects an alias, or frees it where `rule` is undefined. The alias need not be there yet.
 * @throws RerankTuneError USAGE when the name cannot be one.
 */
export async function setProtection(
  root: string,
  { name, alias, reason, rule, ...options }: AliasRequest & { rule: GateRule | undefined },
): Promise<Protection> {
  checkNames(name, alias);
  return await changeIndex(root, options, async (index) => {
    const before = protectedAliases(index)[`${name}:${alias}`];
    const held = aliasesOf(index, name)[alias] ?? null;
    const problems =
      rule === undefined || held === null ? [] : await objectionsTo(new BlobStore(root), index, held, rule);
    const objections = problems.map(({ path, message }) => `${path}: ${message}`);
    const result = { name, alias, rule: rule ?? null, changed: before !== rule, objections };
    if (before === rule) return { result };
    const event = rule === undefined ? "unprotect" : "protect";
    const entry = { name, alias, from: held, to: held, reason, event } as const;
    return { result, index: withProtection(index, name, alias, rule), entries: [entry] };
  });
}

/** The committed log. @throws RerankTuneError REGISTRY_CORRUPT when its chain is broken: nothing is decided on it then. */
export async function soundLog(root: string, index: OciIndex): Promise<ReflogLine[]> {
  const { lines, problems } = await readReflog(root, index.annotations?.[REFLOG_HEAD]);
  if (problems.length === 0) return lines;
  throw new RerankTuneError({
    code: "REGISTRY_CORRUPT",
    message: `The log of the registry ${root} is damaged: ${problems.join("; ")}.`,
    hint: "run `rerank-tune registry verify` for all damage, then restore index.json and reflog.ndjson from one backup; versions can still be named by digest",
  });
}

function nothingBefore(name: string, alias: string): RerankTuneError {
  return new RerankTuneError({
    code: "REGISTRY_NOT_FOUND",
    message: `${name}:${alias} held no other version that is still there.`,
    hint: `see \`rerank-tune registry log ${name}:${alias}\`, or name a version with --to`,
  });
}
