// Reads a TREC run (query Q0 passage rank score tag, also .gz): what the production retriever returned.
import type { Findings } from "../findings.js";
import type { LabelledData } from "../labelled.js";
import { numberOf } from "./fields.js";
import { readLines } from "./rows.js";

export interface FirstStageRun {
  /** Last column of the first row. */
  tag: string;
  /** Passages a query id, best first. */
  ranked: Map<string, number[]>;
}

/** One row of a run. */
export interface RunEntry {
  passage: number;
  score: number;
  rank: number;
  /** 1-based. */
  line: number;
}

/** Order is by score, then by the rank column, so that a retriever's ties stay as it returned them. */
export async function readRun(file: string, data: LabelledData): Promise<FirstStageRun> {
  const { tag, entries } = await readRunEntries(file, data);
  const ranked = new Map([...entries].map(([query, list]) => [query, list.map(({ passage }) => passage)]));
  return { tag, ranked };
}

/** The same with the line of every row. */
export async function readRunEntries(
  file: string,
  data: LabelledData,
): Promise<{ tag: string; entries: Map<string, RunEntry[]> }> {
  const entries = new Map<string, Map<number, RunEntry>>();
  let tag = "";
  for await (const { line, text } of readLines(file)) {
    const fields = text.trim().split(/\s+/);
    const [rank, score] = [numberOf(fields[3]), numberOf(fields[4])];
    if (fields.length < 5 || rank === undefined || score === undefined) {
      data.findings.fatal.add({ file, line, message: "is not `query Q0 passage rank score tag`" });
      continue;
    }
    tag ||= fields[5] ?? "run";
    // A production run often covers more queries than were judged: no mistake, but worth saying.
    if (!data.queryIds.has(fields[0] ?? "")) {
      data.findings.unknown.add({
        file,
        line,
        message: "names a query that the data does not have; the row is left out",
      });
      continue;
    }
    const passage = data.passageWithId(fields[2] ?? "") ?? -1;
    addEntry(entries, data.findings, { file, line }, fields[0] ?? "", { passage, score, rank, line });
  }
  if (entries.size === 0 && data.findings.fatal.total === 0)
    data.findings.fatal.add({
      file,
      message: "holds no query of the labelled data",
      hint: "use the query ids and passage ids of the labelled data in the run (`rerank-tune data import DATA --to beir --out FOLDER` shows them), or drop `prepare.run`",
    });
  return { tag, entries: new Map([...entries].map(([query, list]) => [query, inOrder([...list.values()])])) };
}

function addEntry(
  entries: Map<string, Map<number, RunEntry>>,
  findings: Findings,
  place: { file: string; line: number },
  query: string,
  entry: RunEntry,
): void {
  if (entry.passage < 0) {
    findings.fatal.add({
      ...place,
      path: "passage",
      message: "names a passage that the data does not have",
      hint: "use the passage ids of the labelled data in the run (`rerank-tune data import DATA --to beir --out FOLDER` shows them), or drop `prepare.run`",
    });
    return;
  }
  const list = entries.get(query) ?? new Map<number, RunEntry>();
  if (list.has(entry.passage)) findings.fatal.add({ ...place, message: "repeats a passage of the same query" });
  list.set(entry.passage, entry);
  entries.set(query, list);
}

function inOrder(list: RunEntry[]): RunEntry[] {
  return list.sort((left, right) => right.score - left.score || left.rank - right.rank);
}
