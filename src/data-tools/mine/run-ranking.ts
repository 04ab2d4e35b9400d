// Ranks by a TREC run of the production retriever: keeps the top of each query and finds the passages in the corpus by id.
import { existsSync } from "node:fs";
import { dataInvalid, dataNotFound, Findings } from "../../dataset/findings.js";
import { numberOf } from "../../dataset/readers/fields.js";
import { readLines } from "../../dataset/readers/rows.js";
import type { Corpus } from "./corpus.js";
import type { Pace } from "./pace.js";
import type { RankedList } from "./top-ranked.js";

interface Entry {
  passage: string;
  score: number;
  rank: number;
  line: number;
}

/**
 * The best `depth` passages of each query as the run has them: by score, then by its rank column (as dataset/readers/run.ts).
 * That reader is for passages in memory; this one holds queries x depth rows, whatever the length of run and corpus.
 * @returns an empty list for a query that the run does not have.
 * @throws RerankTuneError DATA_NOT_FOUND, DATA_INVALID with lines.
 */
export async function rankByRun(
  file: string,
  corpus: Corpus,
  queryIds: readonly string[],
  depth: number,
  pace: Pace,
): Promise<RankedList[]> {
  const findings = new Findings();
  pace.phase("read run");
  const entries = await readTops(file, new Set(queryIds), depth, findings);
  findings.throwIfFatal(file);
  if (entries.size === 0)
    throw dataInvalid(
      `${file} holds no query of the labelled data.`,
      "use the query ids of the labelled data in the run, or mine with --from bm25",
    );
  const numbers = await numbersOf(corpus, entries, findings, pace);
  for (const list of entries.values())
    for (const { passage, line } of list)
      if (!numbers.has(passage))
        findings.fatal.add({ file, line, path: "passage", message: "names a passage that the corpus does not have" });
  findings.throwIfFatal(file);
  return queryIds.map((id) => {
    const list = entries.get(id) ?? [];
    return {
      passages: list.map(({ passage }) => numbers.get(passage) as number),
      scores: list.map(({ score }) => score),
    };
  });
}

async function readTops(
  file: string,
  wanted: ReadonlySet<string>,
  depth: number,
  findings: Findings,
): Promise<Map<string, Entry[]>> {
  if (!existsSync(file))
    throw dataNotFound(
      `There is no run file ${file}.`,
      "give the run with --run, one row a line: query Q0 passage rank score tag",
    );
  const entries = new Map<string, Entry[]>();
  for await (const { line, text } of readLines(file)) {
    const fields = text.trim().split(/\s+/);
    const [query = "", , passage = ""] = fields;
    const [rank, score] = [numberOf(fields[3]), numberOf(fields[4])];
    if (fields.length < 5 || rank === undefined || score === undefined)
      findings.fatal.add({ file, line, message: "is not `query Q0 passage rank score tag`" });
    else if (wanted.has(query)) {
      const list = entries.get(query) ?? [];
      entries.set(query, list);
      // A field cut out of a line keeps a whole piece of the file alive; its bytes, read again, do not.
      list.push({ passage: Buffer.from(passage).toString(), score, rank, line });
      if (list.length >= 2 * depth + 64) cut(list, depth);
    }
  }
  for (const list of entries.values()) {
    cut(list, depth);
    reportRepeats(file, list, findings);
  }
  return entries;
}

function cut(list: Entry[], depth: number): void {
  list.sort((left, right) => right.score - left.score || left.rank - right.rank || left.line - right.line);
  list.length = Math.min(list.length, depth);
}

function reportRepeats(file: string, list: readonly Entry[], findings: Findings): void {
  const seen = new Set<string>();
  for (const { passage, line } of list) {
    if (seen.has(passage)) findings.fatal.add({ file, line, message: "repeats a passage of the same query" });
    seen.add(passage);
  }
}

/** Numbers in the corpus of the passages that the run names; the corpus may use such an id only once. */
async function numbersOf(
  corpus: Corpus,
  entries: ReadonlyMap<string, readonly Entry[]>,
  findings: Findings,
  pace: Pace,
): Promise<Map<string, number>> {
  pace.phase("find passages of the run");
  const wanted = new Set([...entries.values()].flatMap((list) => list.map(({ passage }) => passage)));
  const numbers = new Map<string, number>();
  for await (const { index, id } of corpus.passages()) {
    if ((index + 1) % 20_000 === 0) await pace.tick(index + 1, corpus.size, "passages");
    if (!wanted.has(id)) continue;
    if (numbers.has(id))
      findings.fatal.add({ file: corpus.file, path: "_id", message: `passage ${index + 1} repeats an \`_id\`` });
    else numbers.set(id, index);
  }
  return numbers;
}
