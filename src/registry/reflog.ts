// The history of the registry, one JSON line for each change, chained by hashes. Lines behind the head named in index.json are intents that never happened.
import { open, readFile, truncate } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { hashText } from "../artifacts/hash.js";
import { syncFolder } from "./durable.js";

/** What a line says happened; a line without one is a move of an alias. */
export const LOG_EVENTS = ["rollback", "protect", "unprotect", "remove", "restore", "attach"] as const;
export type LogEvent = (typeof LOG_EVENTS)[number];

export const reflogLineSchema = z.strictObject({
  time: z.string(),
  actor: z.string(),
  name: z.string(),
  /** Null where a version as such is concerned: remove, restore, attach. */
  alias: z.string().nullable(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  reason: z.string(),
  event: z.enum(LOG_EVENTS).optional(),
  /** Digest of the manifest of verify's report on which the move rests; absent where the version carried none. */
  gate_report: z.string().optional(),
  /** sha256 of index.json as this change leaves it, without the head; in the last line of a change, absent in lines of version 0.1.0. */
  index: z.string().optional(),
  /** sha256 of the line before, without its line end; null in the first. */
  previous: z.string().nullable(),
});
export type ReflogLine = z.infer<typeof reflogLineSchema>;
export type LogEntry = Omit<ReflogLine, "time" | "actor" | "index" | "previous">;

export const REFLOG_FILE = "reflog.ndjson";

/**
 * Cuts what an interrupted writer left behind the committed head, appends the entries, and returns the new head. Caller holds the lock.
 * @param index sha256 of the index that the entries lead to; see `indexState`.
 */
export async function appendEntries(
  root: string,
  head: string | undefined,
  entries: readonly LogEntry[],
  index: string,
  now: Date,
): Promise<string | undefined> {
  const path = join(root, REFLOG_FILE);
  const text = await readText(path);
  const committed = committedLength(text, head);
  if (committed < Buffer.byteLength(text)) await truncate(path, committed);
  // The head's line end can be lost in a crash of the machine; without it two lines would become one.
  const lost = head !== undefined && committed > Buffer.byteLength(text) ? "\n" : "";
  let previous = head ?? null;
  const lines = entries.map((entry, at) => {
    const state = at === entries.length - 1 ? { index } : {};
    const line = JSON.stringify({ time: now.toISOString(), actor: actor(), ...entry, ...state, previous });
    previous = hashText(line);
    return `${line}\n`;
  });
  const file = await open(path, "a");
  try {
    await file.writeFile(`${lost}${lines.join("")}`);
    await file.sync();
  } finally {
    await file.close();
  }
  // a new file's name has to be safe before the index names its first line
  if (head === undefined) await syncFolder(root);
  return previous ?? undefined;
}

export interface Reflog {
  /** Committed, oldest first; as far as the chain holds. */
  lines: ReflogLine[];
  /** What is wrong with the chain. */
  problems: string[];
  /** Bytes behind the committed head. */
  uncommitted: number;
}

/** @param head what index.json names as the last committed line. */
export async function readReflog(root: string, head: string | undefined): Promise<Reflog> {
  const text = await readText(join(root, REFLOG_FILE));
  const lines: ReflogLine[] = [];
  if (head === undefined) return { lines, problems: tailProblems(text, null), uncommitted: Buffer.byteLength(text) };
  let previous: string | null = null;
  let at = 0;
  for (const [index, raw] of text.split("\n").entries()) {
    const parsed = parseLine(raw);
    const problems = [`line ${index + 1} does not follow from the line before it`];
    if (parsed === undefined || parsed.previous !== previous) return { lines, problems, uncommitted: 0 };
    lines.push(parsed);
    previous = hashText(raw);
    at += raw.length + 1;
    if (previous === head) {
      const tail = text.slice(at);
      const ended = at <= text.length ? [] : [`line ${index + 1} has lost its end`];
      return { lines, problems: [...ended, ...tailProblems(tail, head)], uncommitted: Buffer.byteLength(tail) };
    }
  }
  return { lines, problems: ["the line that index.json names as the last is not there"], uncommitted: 0 };
}

/**
 * What an interrupted writer leaves are lines that follow from the head, the last one perhaps torn, or zeros where the file
 * system had given it room only. Anything else behind the head was put there by someone.
 */
function tailProblems(tail: string, head: string | null): string[] {
  let previous = head;
  const pieces = tail.split("\n");
  const torn = pieces.pop() ?? "";
  for (const piece of pieces) {
    const parsed = parseLine(piece);
    if (parsed === undefined || parsed.previous !== previous) return [NOT_OURS];
    previous = hashText(piece);
  }
  const begin = '{"time":"';
  const fits = torn.length < begin.length ? begin.startsWith(torn) : torn.startsWith(begin);
  return fits || /^\0*$/.test(torn) ? [] : [NOT_OURS];
}

const NOT_OURS = "what stands behind the last committed line was not left by an interrupted writer";

function parseLine(raw: string): ReflogLine | undefined {
  try {
    return reflogLineSchema.safeParse(JSON.parse(raw)).data;
  } catch {
    return undefined; // the caller reports the line
  }
}

/** Bytes up to and with the line whose hash is the head; everything when the head is not there, so that damage stays to be seen. */
function committedLength(text: string, head: string | undefined): number {
  if (head === undefined) return 0;
  let length = 0;
  for (const raw of text.split("\n")) {
    length += Buffer.byteLength(raw) + 1;
    if (hashText(raw) === head) return length;
  }
  return Buffer.byteLength(text);
}

async function readText(path: string): Promise<string> {
  return await readFile(path, "utf8").catch((error) => {
    if (["ENOENT", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return ""; // the lines are not there
    throw error;
  });
}

/** Who did it; the log stays on this machine. A container may run as a user without a name. */
function actor(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}@${hostname()}`;
  }
}
