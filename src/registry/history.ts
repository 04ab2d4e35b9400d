// What the log says happened: which version an alias held when, which versions there must be, which aliases are protected. Pure.
import type { ReflogLine } from "./reflog.js";

/** A stretch of time in which an alias held a version. */
export interface Holding {
  digest: string;
  /** ISO times; `until` is null while it holds. */
  from: string;
  until: string | null;
}

/** What an alias held, oldest first. */
export function holdings(lines: readonly ReflogLine[], name: string, alias: string): Holding[] {
  const held: Holding[] = [];
  for (const { time, to } of movesOf(lines, name, alias)) {
    const last = held.at(-1);
    if (last !== undefined && last.until === null) last.until = time;
    if (to !== null) held.push({ digest: to, from: time, until: null });
  }
  return held;
}

/**
 * Versions that a rollback goes back to, nearest last; what the alias holds now is not among them. A rollback takes back what
 * came after its target, so that two rollbacks in a row go two versions back and not to and fro. An alias that was taken away
 * goes back to what it held last.
 */
export function versionsBefore(lines: readonly ReflogLine[], name: string, alias: string): string[] {
  const stack: string[] = [];
  const moves = movesOf(lines, name, alias);
  for (const { to, event } of moves) {
    if (to === null || to === stack.at(-1)) continue;
    const target = event === "rollback" ? stack.lastIndexOf(to) : -1;
    if (target >= 0) stack.length = target + 1;
    else stack.push(to);
  }
  const now = moves.at(-1)?.to === null ? undefined : stack.pop();
  return stack.filter((digest) => digest !== now);
}

export interface Replayed {
  /** `name:alias` to digest. */
  aliases: Map<string, string>;
  /** `name@digest`. */
  versions: Set<string>;
  /** Protected `name:alias`. */
  protected: Set<string>;
}

/** The state that the log leads to; index.json has to say the same. */
export function replay(lines: readonly ReflogLine[]): Replayed {
  const state: Replayed = { aliases: new Map(), versions: new Set(), protected: new Set() };
  for (const { event, name, alias, from, to } of lines) {
    const reference = `${name}:${alias}`;
    if (event === "remove") state.versions.delete(`${name}@${from}`);
    else if (event === "restore") state.versions.add(`${name}@${to}`);
    else if (event === "protect") state.protected.add(reference);
    else if (event === "unprotect") state.protected.delete(reference);
    else if (event !== "attach" && to === null) state.aliases.delete(reference);
    else if (event !== "attach" && to !== null) {
      state.aliases.set(reference, to);
      state.versions.add(`${name}@${to}`);
    }
  }
  return state;
}

/** `name:alias` of every alias that was ever moved. */
export function aliasesEver(lines: readonly ReflogLine[]): { name: string; alias: string }[] {
  const seen = new Map<string, { name: string; alias: string }>();
  for (const { name, alias, event } of lines)
    if (alias !== null && isMove(event)) seen.set(`${name}:${alias}`, { name, alias });
  return [...seen.values()];
}

function movesOf(lines: readonly ReflogLine[], name: string, alias: string): ReflogLine[] {
  return lines.filter((line) => line.name === name && line.alias === alias && isMove(line.event));
}

const isMove = (event: ReflogLine["event"]): boolean => event === undefined || event === "rollback";
