// The history of alias moves, one JSON line each, chained by hashes. Lines behind the head named in index.json are intents that never happened.
import { open, readFile, truncate } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { hashText } from "../artifacts/hash.js";
import { syncFolder } from "./durable.js";

export const reflogLineSchema = z.strictObject({
  time: z.string(),
  actor: z.string(),
  name: z.string(),
  alias: z.string(),
  from: z.string().nullable(),
  to: z.string(),
  reason: z.string(),
  /** sha256 of the line before, without its line end; null in the first. */
  previous: z.string().nullable(),
});
export type ReflogLine = z.infer<typeof reflogLineSchema>;
export type AliasMove = Pick<ReflogLine, "name" | "alias" | "from" | "to" | "reason">;

const FILE = "reflog.ndjson";

/** Cuts what an interrupted publisher left behind the committed head, appends the moves, and returns the new head. Caller holds the lock. */
export async function appendMoves(
  root: string,
  head: string | undefined,
  moves: readonly AliasMove[],
  now: Date,
): Promise<string | undefined> {
  const path = join(root, FILE);
  const text = await readText(path);
  const committed = committedLength(text, head);
  if (committed < Buffer.byteLength(text)) await truncate(path, committed);
  let previous = head ?? null;
  const lines = moves.map((move) => {
    const line = JSON.stringify({ time: now.toISOString(), actor: actor(), ...move, previous } satisfies ReflogLine);
    previous = hashText(line);
    return `${line}\n`;
  });
  const file = await open(path, "a");
  try {
    await file.writeFile(lines.join(""));
    await file.sync();
  } finally {
    await file.close();
  }
  // a new file's name has to be safe before the index names its first line
  if (head === undefined) await syncFolder(root);
  return previous ?? undefined;
}

/** The committed lines, and what is wrong with them. */
export async function readReflog(
  root: string,
  head: string | undefined,
): Promise<{ lines: ReflogLine[]; problems: string[] }> {
  const text = await readText(join(root, FILE));
  const lines: ReflogLine[] = [];
  let previous: string | null = null;
  if (head === undefined) return { lines, problems: [] };
  for (const [index, raw] of text.split("\n").entries()) {
    const parsed = parseLine(raw);
    if (parsed === undefined || parsed.previous !== previous)
      return { lines, problems: [`line ${index + 1} does not follow from the line before it`] };
    lines.push(parsed);
    previous = hashText(raw);
    if (previous === head) return { lines, problems: [] };
  }
  return { lines, problems: ["the line that index.json names as the last is not there"] };
}

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

/** Who moved it; the log stays on this machine. A container may run as a user without a name. */
function actor(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}@${hostname()}`;
  }
}
