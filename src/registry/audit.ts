// Holds index.json against the log that led to it: nothing may exist, point or be protected that no line accounts for. Reads small files only.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { jsonOf } from "../artifacts/json-value.js";
import type { Problem } from "../errors.js";
import { type OciIndex, REFERENCE_NAME, REFLOG_HEAD } from "./format.js";
import { replay } from "./history.js";
import {
  allAliases,
  INDEX_FILE,
  indexState,
  indexText,
  LAYOUT_FILE,
  LAYOUT_TEXT,
  referrerEntries,
  versionEntries,
} from "./index-file.js";
import { PROTECTED_ALIASES, protectedAliases } from "./protection.js";
import { REFLOG_FILE, type Reflog, type ReflogLine } from "./reflog.js";

/** The two small files are written in one way only: another text that means the same was not written by us. */
export async function auditTexts(root: string): Promise<Problem[]> {
  const problems: Problem[] = [];
  const layout = join(root, LAYOUT_FILE);
  if ((await readFile(layout, "utf8").catch(() => "")) !== LAYOUT_TEXT)
    problems.push({ file: layout, message: "it is missing or was changed" });
  const file = join(root, INDEX_FILE);
  const text = await readFile(file, "utf8").catch(() => "");
  if (indexText(jsonOf(text)) !== text) problems.push({ file, message: "its text is not the one that was written" });
  return problems;
}

/** @param log as it was read for this very index. */
export function auditIndex(root: string, index: OciIndex, log: Reflog): Problem[] {
  const file = join(root, INDEX_FILE);
  const broken = log.problems.map((message) => ({ file: join(root, REFLOG_FILE), message }));
  const head = index.annotations?.[REFLOG_HEAD];
  const problems = [...unknownParts(index), ...(head === undefined && index.manifests.length > 0 ? [HEADLESS] : [])];
  // What a broken chain leads to says nothing of the index.
  if (broken.length === 0 && head !== undefined) problems.push(...auditState(index, log.lines));
  return [...broken, ...problems.map((problem) => ({ file, ...problem }))];
}

const HEADLESS: Problem = { message: "it names no last line of the log" };

function auditState(index: OciIndex, lines: readonly ReflogLine[]): Problem[] {
  const state = lines.at(-1)?.index;
  if (state !== undefined && state !== indexState(index))
    return [{ message: "it is not the index that the last line of the log leads to" }, ...differences(index, lines)];
  return differences(index, lines);
}

/** By name what the log and the index say differently; finds edits also where lines of older versions carry no state. */
function differences(index: OciIndex, lines: readonly ReflogLine[]): Problem[] {
  const logged = replay(lines);
  const problems: Problem[] = [];
  const aliases = new Map(
    [...allAliases(index)].flatMap(([name, held]) =>
      Object.entries(held).map(([alias, digest]) => [`${name}:${alias}`, digest]),
    ),
  );
  for (const path of new Set([...logged.aliases.keys(), ...aliases.keys()]))
    if (logged.aliases.get(path) !== aliases.get(path))
      problems.push({
        path,
        message: `${aliases.get(path) ?? "nothing"} here, ${logged.aliases.get(path) ?? "nothing"} in the log`,
      });
  const versions = new Set(versionEntries(index).map(({ name, descriptor }) => `${name}@${descriptor.digest}`));
  problems.push(...apart(versions, logged.versions, "a version"));
  return [
    ...problems,
    ...apart(new Set(Object.keys(protectedAliases(index))), logged.protected, "protection"),
    ...lostReports(index, lines),
  ];
}

function apart(here: ReadonlySet<string>, logged: ReadonlySet<string>, what: string): Problem[] {
  return [
    ...[...here]
      .filter((path) => !logged.has(path))
      .map((path) => ({ path, message: `${what} that the log does not know` })),
    ...[...logged]
      .filter((path) => !here.has(path))
      .map((path) => ({ path, message: `${what} that the log knows is not here` })),
  ];
}

/** A report on which an alias was moved has to stay beside its version, unless the version was removed since: then both went. */
function lostReports(index: OciIndex, lines: readonly ReflogLine[]): Problem[] {
  const there = new Set(index.manifests.map(({ digest }) => digest));
  const lost = lines.filter(
    ({ to, gate_report }, at) =>
      to !== null &&
      there.has(to) &&
      gate_report !== undefined &&
      !there.has(gate_report) &&
      !lines.slice(at).some(({ event, from }) => event === "remove" && from === to),
  );
  return lost.map(({ name, alias, gate_report }) => ({
    path: `${name}:${alias}`,
    message: `the report ${gate_report}, on which it was moved, is not here`,
  }));
}

/** Entries and annotations that no command of ours writes. */
function unknownParts(index: OciIndex): Problem[] {
  const problems: Problem[] = [];
  for (const key of Object.keys(index.annotations ?? {}))
    if (key !== REFLOG_HEAD && key !== PROTECTED_ALIASES)
      problems.push({ path: key, message: "an annotation that is not ours" });
  const named = new Set(versionEntries(index).map(({ descriptor }) => descriptor.digest));
  const referrers = new Set(referrerEntries(index));
  for (const entry of index.manifests) {
    const reference = entry.annotations?.[REFERENCE_NAME];
    if (reference === undefined ? !referrers.has(entry) : !named.has(entry.digest))
      problems.push({ path: reference ?? entry.digest, message: "an entry that belongs to no version" });
  }
  return problems;
}
