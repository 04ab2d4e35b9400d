// Writes the mined groups in chunks, so that an interrupted run continues at the last whole chunk and ends with the same bytes.
import { createReadStream, existsSync } from "node:fs";
import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { linesOf } from "../../dataset/lines.js";
import type { BaseScores } from "./base-scores.js";
import { candidatesOf } from "./candidates.js";
import { type Choice, type Chosen, chooseNegatives, countChoice, type Negative } from "./choose.js";
import type { Corpus } from "./corpus.js";
import { appendDurably, bytesOf, keepWholeLines } from "./lines-file.js";
import type { MineCounts, MineOptions } from "./options.js";
import type { Pace } from "./pace.js";
import { type MineQuery, wantsNegatives } from "./queries.js";
import type { RankedList } from "./top-ranked.js";

/** Queries of a chunk: the base scores their candidates together, so the size decides batches and must not change. */
export const CHUNK = 32;

const NONE: MineCounts = { mined: 0, random: 0, duplicates: 0, likely_positives: 0, unscored: 0, short: 0 };

export interface WriteJob {
  /** Work folder; the groups land in `output.jsonl` there. */
  folder: string;
  queries: readonly MineQuery[];
  /** Ranked lists of the queries that want negatives, one JSON object a line, in their order. */
  rankedFile: string;
  corpus: Corpus;
  base: BaseScores | undefined;
  options: MineOptions;
  pace: Pace;
}

/** What a finished chunk leaves behind. */
interface ChunkRecord {
  /** Size of the output with it. */
  bytes: number;
  counts: MineCounts;
}

/** Writes all groups that are still missing. @returns the counts of all chunks. */
export async function writeMinedGroups(job: WriteJob): Promise<{ file: string; counts: MineCounts }> {
  const { folder, queries, pace } = job;
  const [file, recordsFile] = [join(folder, "output.jsonl"), join(folder, "chunks.jsonl")];
  const records = await resumeAt(file, recordsFile);
  const lists = linesOf(createReadStream(job.rankedFile));
  pace.phase("choose negatives");
  try {
    for (let first = 0; first < queries.length; first += CHUNK) {
      const chunk = queries.slice(first, first + CHUNK);
      const ranked = await takeLists(chunk, lists);
      if (first < records.length * CHUNK) continue;
      const { rows, counts } = await mineChunk(job, chunk, ranked);
      await appendDurably(file, rows);
      const record: ChunkRecord = { bytes: await bytesOf(file), counts };
      records.push(record);
      await appendDurably(recordsFile, `${JSON.stringify(record)}\n`);
      await pace.tick(first + chunk.length, queries.length, "queries");
    }
  } finally {
    await lists.return(undefined);
  }
  return { file, counts: records.reduce((sum, { counts }) => added(sum, counts), NONE) };
}

async function resumeAt(file: string, recordsFile: string): Promise<ChunkRecord[]> {
  if (!existsSync(file)) await writeFile(file, "");
  if ((await keepWholeLines(recordsFile)) === 0) {
    await truncate(file, 0);
    return [];
  }
  const lines = (await readFile(recordsFile, "utf8")).trimEnd().split("\n");
  const records = lines.map((line) => JSON.parse(line) as ChunkRecord);
  await truncate(file, records.at(-1)?.bytes ?? 0);
  return records;
}

/** The ranked list of each query of the chunk; undefined for those that want none. */
async function takeLists(
  chunk: readonly MineQuery[],
  lists: AsyncGenerator<string>,
): Promise<(RankedList | undefined)[]> {
  const taken: (RankedList | undefined)[] = [];
  for (const query of chunk) {
    if (wantsNegatives(query)) taken.push(JSON.parse((await lists.next()).value as string) as RankedList);
    else taken.push(undefined);
  }
  return taken;
}

async function mineChunk(
  { corpus, base, options }: WriteJob,
  chunk: readonly MineQuery[],
  lists: readonly (RankedList | undefined)[],
): Promise<{ rows: string; counts: MineCounts }> {
  const choices: Choice[] = [];
  for (const [at, query] of chunk.entries()) {
    const list = lists[at];
    if (list !== undefined) choices.push({ query, candidates: candidatesOf(query, list, corpus, options) });
  }
  const chosen = await chooseNegatives(choices, base, options);
  const counts = { ...NONE };
  const byQuery = new Map<MineQuery, Chosen>();
  for (const [at, choice] of choices.entries()) {
    byQuery.set(choice.query, chosen[at] as Chosen);
    countChoice(counts, choice, chosen[at] as Chosen, options.perQuery);
  }
  return { rows: chunk.map((query) => groupRow(query, byQuery.get(query)?.negatives ?? [])).join(""), counts };
}

/** One line of the output: the judged passages as they were, then the mined ones with their provenance. */
export function groupRow({ id, text, judged, details }: MineQuery, negatives: readonly Negative[]): string {
  const mined = negatives.map((negative) => ({
    label: 0,
    id: negative.id,
    text: negative.text,
    source: negative.source,
    rank: negative.rank,
    score: rounded(negative.score),
    base_score: rounded(negative.base_score),
  }));
  return `${JSON.stringify({ query_id: id, query: text, passages: [...judged.map(({ row }) => row), ...mined], ...details })}\n`;
}

/** Six digits: more is noise of the processor. */
function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Number(value.toPrecision(6));
}

function added(left: MineCounts, right: MineCounts): MineCounts {
  const sum = { ...left };
  for (const name of Object.keys(right) as (keyof MineCounts)[]) sum[name] += right[name];
  return sum;
}
