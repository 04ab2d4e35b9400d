// The judged queries of one split of a BEIR folder: qrels/SPLIT.tsv with the texts of queries.jsonl. Reads no passage.
// Not dataset/readers/beir.ts: that one holds the whole corpus in memory and refuses splits that share a query; an evaluation needs neither.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { dataNotFound, type Findings, type Place } from "../dataset/findings.js";
import { idOf, numberOf } from "../dataset/readers/fields.js";
import { readJsonRows, readLines } from "../dataset/readers/rows.js";
import { RerankTuneError } from "../errors.js";
import { seededIntegers } from "../ranking/random.js";

/** A query with its judgements; the place is its first line in the qrels file. */
export interface JudgedQuery extends Place {
  id: string;
  text: string;
  /** Labels by passage id, 0 and below included. */
  labels: Map<string, number>;
}

/** Which part of the split was taken. */
export interface Sample {
  queries: number;
  of: number;
  seed: number;
}

export interface EvaluationSplit {
  queries: JudgedQuery[];
  /** Null when the whole split was taken. */
  sample: Sample | null;
  /** Pairs that were judged twice with other labels; the higher label counts, as in prepare. */
  conflicts: number;
}

const SAMPLE_SEED = 7;

/**
 * Reads one split; queries keep the order of the qrels file.
 * @param wanted at most so many queries, drawn with a fixed seed.
 * @throws RerankTuneError DATA_NOT_FOUND without the folder or split; DATA_INVALID with lines.
 */
export async function readSplit(
  folder: string,
  split: string,
  wanted: number | undefined,
  findings: Findings,
): Promise<EvaluationSplit> {
  const file = await qrelsFile(folder, split);
  const { queries: judged, conflicts } = await readQrels(file, findings);
  findings.throwIfFatal(file);
  if (judged.length === 0)
    throw new RerankTuneError({
      code: "DATA_INVALID",
      message: `${file} judges no query.`,
      hint: "write one judgement a line: query-id, corpus-id and score, separated by tabs",
    });
  const drawn = draw(judged, wanted);
  const queriesFile = partFile(folder, "queries.jsonl");
  await addTexts(queriesFile, drawn.queries, findings);
  findings.throwIfFatal(queriesFile);
  return { ...drawn, conflicts };
}

/**
 * A part of a BEIR folder, plain or .gz.
 * @throws RerankTuneError DATA_NOT_FOUND.
 */
export function partFile(folder: string, part: string): string {
  const found = [part, `${part}.gz`].map((name) => join(folder, name)).find(existsSync);
  if (found !== undefined) return found;
  throw dataNotFound(
    `${folder} has no ${part}.`,
    "name a BEIR folder with --data: corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv, plain or .gz",
  );
}

async function qrelsFile(folder: string, split: string): Promise<string> {
  const found = [`${split}.tsv`, `${split}.tsv.gz`].map((name) => join(folder, "qrels", name)).find(existsSync);
  if (found !== undefined) return found;
  const names = await readdir(join(folder, "qrels")).catch((): string[] => []);
  const splits = names.flatMap((name) => /^(.+)\.tsv(?:\.gz)?$/.exec(name)?.[1] ?? []).sort();
  throw dataNotFound(
    `${folder} has no split ${JSON.stringify(split)} (qrels/${split}.tsv).`,
    splits.length === 0
      ? "name a BEIR folder with --data: corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv"
      : `use --split ${splits.join(" or --split ")}`,
  );
}

/** Rows are "query passage label" (BEIR) or "query 0 passage label" (TREC); a first line of words is the heading. */
async function readQrels(file: string, findings: Findings): Promise<{ queries: JudgedQuery[]; conflicts: number }> {
  const judged = new Map<string, JudgedQuery>();
  let conflicts = 0;
  for await (const { line, text } of readLines(file)) {
    const fields = text.trim().split(/\s+/);
    const [id, passage, label] = [fields[0] ?? "", fields.at(-2) ?? "", numberOf(fields.at(-1))];
    if (fields.length < 3 || fields.length > 4 || label === undefined) {
      if (line > 1) findings.fatal.add({ file, line, message: "is not `query-id corpus-id score`" });
      continue;
    }
    const query = judged.get(id) ?? { id, text: "", labels: new Map<string, number>(), file, line };
    const known = query.labels.get(passage) ?? label;
    if (known !== label) conflicts += 1;
    query.labels.set(passage, Math.max(known, label));
    judged.set(id, query);
  }
  return { queries: [...judged.values()], conflicts };
}

/** Drawn from the sorted ids, so that the order of the file does not change the draw (Fisher and Yates). */
function draw(judged: JudgedQuery[], wanted: number | undefined): Pick<EvaluationSplit, "queries" | "sample"> {
  if (wanted === undefined || wanted >= judged.length) return { queries: judged, sample: null };
  const ids = judged.map(({ id }) => id).sort();
  const below = seededIntegers(SAMPLE_SEED);
  for (let place = 0; place < wanted; place++) {
    const other = place + below(ids.length - place);
    [ids[place], ids[other]] = [ids[other] as string, ids[place] as string];
  }
  const kept = new Set(ids.slice(0, wanted));
  return {
    queries: judged.filter(({ id }) => kept.has(id)),
    sample: { queries: wanted, of: judged.length, seed: SAMPLE_SEED },
  };
}

async function addTexts(file: string, queries: readonly JudgedQuery[], findings: Findings): Promise<void> {
  const missing = new Map(queries.map((query) => [query.id, query]));
  for await (const { line, values } of readJsonRows(file, findings)) {
    const query = missing.get(idOf(values._id) ?? "");
    if (query === undefined) continue;
    if (typeof values.text !== "string") findings.fatal.add({ file, line, path: "text", message: "has no `text`" });
    else query.text = values.text.trim();
    missing.delete(query.id);
  }
  for (const { file: qrels, line } of missing.values())
    findings.fatal.add({
      file: qrels,
      line,
      path: "query-id",
      message: "names a query that queries.jsonl does not have",
    });
}
