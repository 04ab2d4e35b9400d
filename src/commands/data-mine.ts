// `data mine`: hard negatives from the person's corpus, written as graded groups. Checks the flags and shows the counts.
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { mineNegatives } from "../data-tools/mine/index.js";
import type { BaseOptions, EmbeddingOptions, MineFrom, MineOptions, MineReport } from "../data-tools/mine/options.js";
import { dataNotFound } from "../dataset/findings.js";
import { RerankTuneError } from "../errors.js";
import type { Pooling } from "../inference/messages.js";
import type { Renderable } from "../ui/output.js";
import { columns } from "../ui/table.js";
import { type CommandContext, displayPath, programName } from "./context.js";

/** Numbers come as texts; commander knows the choices of `from` and `pooling`. */
export interface MineFlags {
  corpus?: string;
  out: string;
  from?: MineFrom;
  run?: string;
  embeddingModel?: string;
  pooling?: Pooling;
  queryPrefix?: string;
  passagePrefix?: string;
  embeddings?: string;
  ranks?: string;
  perQuery?: string;
  random?: string;
  maxShare?: string;
  scores?: string;
  model?: string;
  seed?: string;
  resume?: boolean;
}

/** @throws RerankTuneError USAGE, and what mineNegatives throws. */
export async function dataMine(path: string, flags: MineFlags, context: CommandContext): Promise<Renderable> {
  const options = mineOptions(path, flags);
  const { signal, emit } = context;
  const report = await mineNegatives(options, { signal, emit });
  const program = await programName();
  return { data: report, essential: report.out, text: () => reportText(report, program) };
}

/**
 * The flags as options, with the defaults of training.md §3 (ranks 10-100, 95 %) and FlagEmbedding's 15 negatives a query.
 * @throws RerankTuneError USAGE for flags that contradict one another; DATA_NOT_FOUND.
 */
export function mineOptions(path: string, flags: MineFlags): MineOptions {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined)
    throw dataNotFound(
      `There is no file or folder ${path}.`,
      "give labelled data: pairs, graded groups or FlagEmbedding rows as JSONL, CSV, TSV, or a BEIR folder",
    );
  if (flags.corpus === undefined && !found.isDirectory())
    throw usage("--corpus is missing: passages to find negatives among.", "add --corpus CORPUS.jsonl");
  const perQuery = whole("--per-query", flags.perQuery ?? "15", 1, 1000);
  const embedding = embeddingOf(flags);
  const base = baseOf(flags);
  return {
    source: path,
    out: resolve(flags.out),
    from: fromOf(flags),
    ranks: ranksOf(flags.ranks ?? "10-100"),
    perQuery,
    random: whole("--random", flags.random ?? String(Math.min(2, perQuery)), 0, perQuery),
    maxShare: shareOf(flags),
    seed: whole("--seed", flags.seed ?? "7", 0, Number.MAX_SAFE_INTEGER),
    resume: flags.resume === true,
    ...(flags.corpus === undefined ? {} : { corpus: resolve(flags.corpus) }),
    ...(flags.run === undefined ? {} : { run: resolve(flags.run) }),
    ...(embedding === undefined ? {} : { embedding }),
    ...(base === undefined ? {} : { base }),
  };
}

/** What `--from` says, else what was given to rank with. */
function fromOf({ from, run, embeddingModel }: MineFlags): MineFrom {
  const given = run !== undefined ? "run" : embeddingModel !== undefined ? "embedding" : "bm25";
  const chosen = from ?? given;
  if (run !== undefined && chosen !== "run") throw usage("--run goes with --from run.", "drop one of the two");
  if (embeddingModel !== undefined && chosen !== "embedding")
    throw usage("--embedding-model goes with --from embedding.", "drop one of the two");
  if (chosen === "run" && run === undefined) throw usage("--from run needs a run.", "add --run RUN.trec");
  if (chosen === "embedding" && embeddingModel === undefined)
    throw usage("--from embedding needs a model.", "add --embedding-model FOLDER");
  return chosen;
}

function embeddingOf(flags: MineFlags): EmbeddingOptions | undefined {
  const { embeddingModel, pooling, queryPrefix, passagePrefix, embeddings } = flags;
  if (embeddingModel === undefined) {
    const alone = Object.entries({ pooling, "query-prefix": queryPrefix, "passage-prefix": passagePrefix, embeddings });
    const [name] = alone.find(([, value]) => value !== undefined) ?? [];
    if (name !== undefined) throw usage(`--${name} goes with --embedding-model.`, "add --embedding-model FOLDER");
    return undefined;
  }
  return {
    folder: resolve(embeddingModel),
    queryPrefix: queryPrefix ?? "",
    passagePrefix: passagePrefix ?? "",
    ...(pooling === undefined ? {} : { pooling }),
    ...(embeddings === undefined ? {} : { store: resolve(embeddings) }),
  };
}

function baseOf({ scores, model }: MineFlags): BaseOptions | undefined {
  if (scores !== undefined && model !== undefined)
    throw usage("--scores and --model both give base scores.", "keep one of the two");
  if (scores !== undefined) return { scores: resolve(scores) };
  return model === undefined ? undefined : { model: resolve(model) };
}

function shareOf({ maxShare, scores, model }: MineFlags): number {
  if (maxShare === undefined) return 0.95;
  if (scores === undefined && model === undefined)
    throw usage("--max-share needs base scores.", "add --model FOLDER of a reranker, or --scores BASE_SCORES.tsv");
  const share = Number(maxShare);
  if (maxShare.trim() !== "" && share > 0 && share <= 1) return share;
  throw usage(`--max-share ${maxShare} is not a share above 0 and up to 1.`, "such as --max-share 0.95");
}

function ranksOf(text: string): { first: number; last: number } {
  const [, first, last] = /^(\d{1,6})-(\d{1,6})$/.exec(text) ?? [];
  const ranks = { first: Number(first), last: Number(last) };
  if (ranks.first >= 1 && ranks.first <= ranks.last && ranks.last <= 10_000) return ranks;
  throw usage(`--ranks ${text} is not a window of ranks between 1 and 10000.`, "such as --ranks 10-100");
}

function whole(flag: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw usage(`${flag} ${text} is not a whole number from ${least} to ${most}.`, `such as ${flag} ${least}`);
}

function usage(message: string, hint: string): RerankTuneError {
  return new RerankTuneError({ code: "USAGE", message, hint });
}

function reportText(report: MineReport, program: string): string {
  const { mined, random, duplicates, likely_positives, unscored, short, mined_queries } = report;
  const rows: [string, number, string][] = [
    ["judged passages", report.judged, "as they were"],
    ["mined negatives", mined, `by ${report.from}, for ${mined_queries} of ${report.queries} queries`],
    ["random negatives", random, `of ${report.corpus_passages} passages`],
    ["left out", duplicates, "judged, or near-duplicates"],
    [
      "left out",
      likely_positives,
      report.filtered ? "likely positives by the base" : "likely positives: not looked for",
    ],
    ["left out", unscored, "without a base score"],
    ["short", short, "queries with fewer negatives than wanted"],
  ];
  const shown = displayPath(report.out);
  const lines = columns(
    rows.map(([name, count, what]) => [name, String(count), what]),
    [2],
  );
  return [`wrote ${shown}`, "", ...lines, "", "next", `  ${program} init recipe.yaml --data ${shown}`].join("\n");
}
