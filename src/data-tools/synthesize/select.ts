// Which of the written queries stay: those that repeat nothing and, where there is a judge, find the way back to their passage.
import { join } from "node:path";
import { canonicalJson, hashText } from "../../artifacts/hash.js";
import { dataInvalid } from "../../dataset/findings.js";
import type { Corpus } from "../mine/corpus.js";
import type { Teacher } from "../score/teacher.js";
import { distinctQueries, type MadeQuery } from "./distinct.js";
import { readWritten } from "./generate.js";
import { type Judged, judgeQueries } from "./judge.js";
import type { JudgeOptions, SynthesizeContext, SynthesizeReport } from "./options.js";

export interface KeptQuery {
  query: MadeQuery;
  /** Absent without a judge. */
  verdict?: Judged;
}

export type SelectionCounts = Pick<
  SynthesizeReport,
  "unusable" | "copied" | "written" | "avoided" | "duplicates" | "rejected" | "kept"
>;

export interface SelectJob {
  /** Part file of what was written, and the work folder it lies in. */
  file: string;
  folder: string;
  corpus: Corpus;
  /** Queries that no new one may repeat. */
  known: readonly string[];
  judge?: { teacher: Teacher; options: JudgeOptions };
  context: SynthesizeContext;
}

/** @throws RerankTuneError DATA_INVALID when no query stays. */
export async function selectQueries(job: SelectJob): Promise<{ kept: KeptQuery[]; counts: SelectionCounts }> {
  const written = await collect(job.file);
  const distinct = distinctQueries(job.known, written.queries);
  const kept = await judged(job, distinct.kept);
  const counts: SelectionCounts = {
    unusable: written.unusable,
    copied: written.copied,
    written: written.queries.length,
    avoided: distinct.avoided,
    duplicates: distinct.duplicates,
    rejected: job.judge === undefined ? null : distinct.kept.length - kept.length,
    kept: kept.length,
  };
  if (kept.length === 0) throw nothingKept(counts);
  return { kept, counts };
}

async function collect(file: string): Promise<{ queries: MadeQuery[]; unusable: number; copied: number }> {
  const collected = { queries: [] as MadeQuery[], unusable: 0, copied: 0 };
  for await (const { passage, queries, copied } of readWritten(file)) {
    for (const text of queries) collected.queries.push({ text, passage });
    collected.copied += copied;
    if (queries.length + copied === 0) collected.unusable += 1;
  }
  return collected;
}

/** Verdicts lie in a file named after all that decides them, so that --resume may go on with another judge or --avoid. */
async function judged(
  { folder, corpus, judge, context }: SelectJob,
  queries: readonly MadeQuery[],
): Promise<KeptQuery[]> {
  if (judge === undefined || queries.length === 0) return queries.map((query) => ({ query }));
  const { teacher, options } = judge;
  const { depth, keepTop } = options;
  const key = hashText(canonicalJson({ queries, judge: teacher.identity, depth })).slice(0, 12);
  const file = join(folder, `judged-${key}.jsonl`);
  const verdicts = await judgeQueries({ file, queries, corpus, judge: teacher, depth, context });
  return queries
    .map((query, at) => ({ query, verdict: verdicts[at] as Judged }))
    .filter(({ verdict }) => verdict.rank <= keepTop);
}

function nothingKept({ unusable, copied, avoided, duplicates, rejected, written }: SelectionCounts): Error {
  const why = [
    `${unusable} replies unusable`,
    `${copied} queries copied`,
    `${avoided + duplicates} near-duplicates`,
    `${rejected ?? 0} of ${written} rejected by the judge`,
  ];
  return dataInvalid(
    `No synthetic query is left: ${why.join(", ")}.`,
    "use a larger --keep-top or another judge, or look at the prompt",
  );
}
