// `data mine`: hard negatives from a corpus that may be larger than memory, written as graded groups. Reads top to bottom.
// When to use which: prepare (stages/prepare/training-groups.ts) mines for one run from passages it holds in memory, by BM25 or a
// run, with no look at false negatives: enough for a collection of some ten thousand passages. Mining here is for a large corpus,
// for an embedding model as ranker, for base scores against false negatives, and for negatives that a person wants to read first.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { dataInvalid } from "../../dataset/findings.js";
import { EXIT, RerankTuneError } from "../../errors.js";
import { type BaseScores, openBaseScores } from "./base-scores.js";
import { Corpus, corpusFile } from "./corpus.js";
import { identityOf } from "./identity.js";
import type { MineContext, MineCounts, MineOptions, MineReport } from "./options.js";
import { miningStopped, Pace } from "./pace.js";
import { type MineQuery, readQueries, wantsNegatives } from "./queries.js";
import { RANKED_FILE, rankAll } from "./rankers.js";
import { type Identity, openWorkFolder, type WorkFolder } from "./work-folder.js";
import { writeMinedGroups } from "./write-groups.js";

/**
 * Mines negatives for every query with a relevant passage; judged rows reach the output as they are.
 * @throws RerankTuneError DATA_NOT_FOUND, DATA_INVALID, MODEL_NOT_FOUND, MODEL_UNSUPPORTED, RUNTIME_MISSING, SCORER_FAILED, USAGE,
 * FOLDER_IN_USE, INTERRUPTED, TERMINATED.
 */
export async function mineNegatives(options: MineOptions, context: MineContext): Promise<MineReport> {
  const pace = new Pace(context);
  const file = await corpusFile(resolve(options.corpus ?? options.source));
  const queries = await readQueries(options.source, context.emit);
  if (!queries.some(wantsNegatives))
    throw dataInvalid(
      `${options.source} has no query with a relevant passage outside its dev and test splits.`,
      "label at least one passage of a query with 1 or more; see `rerank-tune data check`",
    );
  pace.phase("check the inputs");
  const identity = await identityOf(options, file);
  const work = await openWorkFolder(options.out, identity, options.resume);
  try {
    return await mine(work, { queries, file, identity, options, context, pace });
  } catch (error) {
    if (context.signal.aborted) throw miningStopped(context.signal);
    // A mistake in what was given, found before anything costly was done: nothing to resume once it is corrected.
    const mistake = error instanceof RerankTuneError && error.exitCode === EXIT.usage;
    if (mistake && !existsSync(join(work.folder, RANKED_FILE))) await work.discard();
    throw error;
  } finally {
    await work.release();
  }
}

interface MineJob {
  queries: MineQuery[];
  file: string;
  identity: Identity;
  options: MineOptions;
  context: MineContext;
  pace: Pace;
}

async function mine(work: WorkFolder, job: MineJob): Promise<MineReport> {
  const { queries, options, context, pace } = job;
  const { folder } = work;
  const corpus = await Corpus.open(job.file, folder, pace);
  let base: BaseScores | undefined;
  try {
    warn(corpus, options, context);
    // A score file is read first, because it may be wrong; a model only when the embedding model is gone from memory.
    if (options.base !== undefined && "scores" in options.base) base = await openBaseScores(options.base, context);
    const mined = queries.filter(wantsNegatives);
    const rankedFile = await rankAll({ ...job, folder, corpus, queries: mined });
    if (options.base !== undefined) base ??= await openBaseScores(options.base, context);
    const { file, counts } = await writeMinedGroups({ folder, queries, rankedFile, corpus, base, options, pace });
    if (counts.mined + counts.random === 0) await refuseEmpty(work, counts, options);
    await work.finish(file);
    return reportOf(job, corpus, counts, mined.length);
  } finally {
    await base?.close();
    corpus.close();
  }
}

function warn({ counts, file }: Corpus, { base }: MineOptions, { emit }: MineContext): void {
  if (base === undefined)
    emit({
      type: "warning",
      message: "without base scores (--model or --scores) unlabelled relevant passages cannot be told from negatives",
    });
  const told = [
    [counts.empty, "rows have no text; they are left out"],
    [counts.encoding, "rows hold bytes that are not UTF-8; they are read with replacement characters"],
  ] as const;
  for (const [count, what] of told) if (count > 0) emit({ type: "warning", message: `${file}: ${count} ${what}` });
}

/** An output without a single new negative would look like a success. */
async function refuseEmpty(work: WorkFolder, counts: MineCounts, { ranks }: MineOptions): Promise<never> {
  await work.discard();
  const why = [
    `${counts.duplicates} candidates repeat judged passages`,
    `${counts.likely_positives} are likely positives`,
    `${counts.unscored} have no base score`,
  ].join(", ");
  throw dataInvalid(
    `No negative was found at ranks ${ranks.first}-${ranks.last}: ${why}.`,
    counts.unscored > counts.duplicates + counts.likely_positives
      ? "the score file does not score these candidates: let a reranker score them with --model FOLDER, or leave out --scores"
      : "widen the window, such as --ranks 1-200, or check that the corpus is the one the queries are about",
  );
}

function reportOf({ queries, options }: MineJob, corpus: Corpus, counts: MineCounts, minedQueries: number): MineReport {
  return {
    out: options.out,
    from: options.from,
    corpus_passages: corpus.size,
    queries: queries.length,
    mined_queries: minedQueries,
    judged: queries.reduce((sum, { judged }) => sum + judged.length, 0),
    ...counts,
    filtered: options.base !== undefined,
  };
}
