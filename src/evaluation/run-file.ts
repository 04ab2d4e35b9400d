// Reads the candidates of judged queries from a TREC run, in the order in which trec_eval would read them.
// Not dataset/readers/run.ts: that one wants the whole corpus in memory and breaks ties by the rank column, which trec_eval ignores.
import type { Findings } from "../dataset/findings.js";
import { numberOf } from "../dataset/readers/fields.js";
import { readLines } from "../dataset/readers/rows.js";
import { rankingOrder } from "../ranking/order.js";

/** One row of a run. */
export interface RunEntry {
  passage: string;
  score: number;
  /** 1-based line in the run. */
  line: number;
}

export interface CandidateRun {
  /** Last column of the first row. */
  tag: string;
  /** Entries a query id, best first; queries that the run lacks are absent. */
  ranked: Map<string, RunEntry[]>;
  /** The longest list of a query before it was cut. */
  longest: number;
}

/**
 * Reads rows of `query Q0 passage rank score tag`; rows of other queries are skipped, a repeated passage is fatal as in trec_eval.
 * @param depth cuts each list; undefined keeps it whole.
 */
export async function readCandidateRun(
  file: string,
  queries: ReadonlySet<string>,
  depth: number | undefined,
  findings: Findings,
): Promise<CandidateRun> {
  const entries = new Map<string, Map<string, RunEntry>>();
  let tag = "";
  for await (const { line, text } of readLines(file)) {
    const fields = text.trim().split(/\s+/);
    const [query = "", passage = "", score] = [fields[0], fields[2], numberOf(fields[4])];
    if (fields.length < 5 || score === undefined) {
      findings.fatal.add({ file, line, message: "is not `query Q0 passage rank score tag`" });
      continue;
    }
    tag ||= fields[5] ?? "run";
    if (!queries.has(query)) continue;
    const list = entries.get(query) ?? new Map<string, RunEntry>();
    if (list.has(passage)) findings.fatal.add({ file, line, message: "repeats a passage of the same query" });
    entries.set(query, list.set(passage, { passage, score, line }));
  }
  if (entries.size === 0 && findings.fatal.total === 0)
    findings.fatal.add({
      file,
      message: "holds no query of the split",
      hint: "use the ids of queries.jsonl and corpus.jsonl in the run, or drop --run",
    });
  const longest = [...entries.values()].reduce((most, { size }) => Math.max(most, size), 0);
  const ranked = new Map([...entries].map(([query, list]) => [query, inOrder([...list.values()]).slice(0, depth)]));
  return { tag, ranked, longest };
}

function inOrder(list: RunEntry[]): RunEntry[] {
  const order = rankingOrder(
    list.map(({ score }) => score),
    list.map(({ passage }) => passage),
  );
  return order.map((position) => list[position] as RunEntry);
}
