// `registry alias|unalias|rollback|protect|unprotect|log`: moves aliases and shows who moved them.
import { RerankTuneError } from "../errors.js";
import type { MovedAlias, Moves, Protection } from "../registry/index.js";
import { parseReference, shortDigest } from "../registry/reference.js";
import type { Renderable } from "../ui/output.js";
import { wrapText } from "../ui/wrap.js";
import { openLocal as open, type RegistryFlags } from "./local-registry.js";

export interface ReasonFlags extends RegistryFlags {
  reason: string;
}
export interface RollbackFlags extends ReasonFlags {
  to?: string;
}
export interface ProtectFlags extends ReasonFlags {
  allowInconclusive?: boolean;
}

/** @throws RerankTuneError REGISTRY_NOT_FOUND, GATE_FAILED, USAGE */
export async function aliasInRegistry(version: string, alias: string, flags: ReasonFlags): Promise<Renderable> {
  const moved = await (await open(flags)).moveAlias({ reference: version, alias, reason: reasonOf(flags) });
  return { data: moved, essential: `${moved.name}@${moved.to}`, text: () => movedText(moved) };
}

/** @throws RerankTuneError REGISTRY_NOT_FOUND, USAGE */
export async function unaliasInRegistry(name: string, alias: string, flags: ReasonFlags): Promise<Renderable> {
  const removed = await (await open(flags)).removeAlias({ name, alias, reason: reasonOf(flags) });
  const version = `${name}@${removed.from}`;
  return { data: removed, essential: version, text: () => `${name}:${alias} is gone; the version stays\n${version}` };
}

/** @param model `name` for its alias `latest`, or `name:alias`. @throws RerankTuneError REGISTRY_NOT_FOUND, GATE_FAILED */
export async function rollbackInRegistry(model: string, flags: RollbackFlags): Promise<Renderable> {
  const { name, alias } = aliasOf(model);
  const { to } = flags;
  const request = { name, alias, reason: reasonOf(flags), ...(to === undefined ? {} : { to }) };
  const moved = await (await open(flags)).rollback(request);
  return { data: moved, essential: `${moved.name}@${moved.to}`, text: () => movedText(moved) };
}

function movedText({ name, alias, from, to, moved, gate_report }: MovedAlias): string {
  if (!moved) return `${name}:${alias} stands there already\n${name}@${to}`;
  const report = gate_report === null ? "no report of verify" : `verify report ${shortDigest(gate_report)}`;
  return `${name}:${alias}  ${from === null ? "new" : shortDigest(from)} -> ${shortDigest(to)}\non ${report}\n${name}@${to}`;
}

/** @throws RerankTuneError USAGE */
export async function protectInRegistry(name: string, alias: string, flags: ProtectFlags): Promise<Renderable> {
  const rule = flags.allowInconclusive === true ? "not_failed" : "passed";
  const result = await (await open(flags)).setProtection({ name, alias, reason: reasonOf(flags), rule });
  return { data: result, essential: `${name}:${alias}`, text: (_, width) => protectionText(result, width) };
}

/** @throws RerankTuneError USAGE */
export async function unprotectInRegistry(name: string, alias: string, flags: ReasonFlags): Promise<Renderable> {
  const result = await (await open(flags)).setProtection({ name, alias, reason: reasonOf(flags), rule: undefined });
  return { data: result, essential: `${name}:${alias}`, text: (_, width) => protectionText(result, width) };
}

function protectionText({ name, alias, rule, changed, objections }: Protection, width?: number): string {
  const already = changed ? "" : " already";
  if (rule === null) return `${name}:${alias} is free${already}: any version can stand under it`;
  const open = rule === "not_failed" ? "; inconclusive gates may stay open" : "";
  const lines = [`${name}:${alias} is protected${already}: it moves to versions that pass verify only${open}`];
  if (objections.length > 0)
    lines.push(
      "note: the version it holds now would not be let in; it stays",
      ...objections.map((text) => `  ${text}`),
    );
  return lines.map((line) => wrapText(line, width, 2)).join("\n");
}

/** The lines are shown even where the chain is broken. */
export async function logOfRegistry(model: string | undefined, flags: RegistryFlags): Promise<Renderable> {
  const registry = await open(flags);
  const { name, alias } = model === undefined ? {} : logged(model);
  const moves = await registry.log(name, alias);
  const failure = moves.problems.length === 0 ? undefined : brokenLog(registry.root, moves);
  return {
    data: { registry: registry.root, ...moves },
    essential: moves.lines.length.toString(),
    text: (_, width) => logText(moves, width),
    ...(failure === undefined ? {} : { failure }),
  };
}

function logText({ lines, problems }: Moves, width?: number): string {
  const blocks = [...lines].reverse().map((line) => {
    const subject = line.alias === null ? line.name : `${line.name}:${line.alias}`;
    const reason = wrapText(`  ${line.reason}`, width, 2);
    const report = line.gate_report === undefined ? [] : [`  on verify report ${shortDigest(line.gate_report)}`];
    return [`${line.time.slice(0, 19)}Z  ${subject}`, `  ${what(line)}  by ${line.actor}`, reason, ...report].join(
      "\n",
    );
  });
  const chain = problems.length === 0 ? "the chain holds" : "the chain is broken";
  return [...blocks, `${lines.length} ${lines.length === 1 ? "line" : "lines"}, ${chain}`].join("\n");
}

function what({ event, from, to }: Moves["lines"][number]): string {
  const [old, now] = [from === null ? "nothing" : shortDigest(from), to === null ? "nothing" : shortDigest(to)];
  if (event === "remove") return `remove ${old}`;
  if (event === "restore" || event === "attach") return `${event} ${event === "attach" ? "to " : ""}${now}`;
  if (event === "protect" || event === "unprotect") return event;
  return `${event ?? "move"} ${old} -> ${now}`;
}

function brokenLog(root: string, moves: Moves): RerankTuneError {
  return new RerankTuneError({
    code: "REGISTRY_CORRUPT",
    message: `The log of ${root} is damaged: ${moves.problems.join("; ")}.`,
    hint: "run `rerank-tune registry verify` for all damage, then restore index.json and reflog.ndjson from one backup",
  });
}

/** @throws RerankTuneError USAGE when it is blank. */
export function reasonOf({ reason }: ReasonFlags): string {
  if (reason.trim() !== "") return reason.trim();
  throw new RerankTuneError({
    code: "USAGE",
    message: "A reason is missing: it stands in the log for good.",
    hint: 'such as `--reason "passed review 12"`',
  });
}

/** A bare name means its alias `latest`, as everywhere. */
function aliasOf(model: string): { name: string; alias: string } {
  const { name, alias } = parseReference(model);
  if (alias !== undefined) return { name, alias };
  throw new RerankTuneError({
    code: "USAGE",
    message: `${model} names a version, not an alias.`,
    hint: "write name or name:alias; name the version to go back to with --to",
  });
}

/** A bare name means all its aliases. */
function logged(model: string): { name: string; alias?: string } {
  return model.includes(":") ? aliasOf(model) : { name: parseReference(model).name };
}
