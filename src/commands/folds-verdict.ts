// From the finished folds to one answer: reads what prepare and train left and pools the out-of-fold queries.
import { join } from "node:path";
import { type Group, groupsFile, readAllGroups } from "../dataset/groups.js";
import type { PipelineResult } from "../pipeline/execute.js";
import { bootstrapClusters } from "../ranking/clusters.js";
import type { RankedQuery } from "../ranking/order.js";
import { poolFolds } from "../ranking/out-of-fold.js";
import { readScores, type Scores } from "../ranking/scores.js";
import { percentile } from "../ranking/statistics.js";
import type { PrepareOutput } from "../stages/prepare/schema.js";
import type { TrainOutput } from "../stages/train/schema.js";
import { firstStageQuery, ndcgPerQuery, qualityRow, rankedQueries } from "../stages/verify/quality.js";
import type { VariantRow } from "../ui/table.js";
import { type FoldsVerdict, wordVerdict } from "./folds-summary.js";

/** A fold whose training is finished. */
export interface FinishedFold {
  /** From 1. */
  fold: number;
  /** Name of its artifacts. */
  name: string;
  result: PipelineResult;
}

/** One fold as `--json` has it. Metrics are 0-1; `mean` and `interval` are of tuned - reference. */
export interface FoldRow {
  fold: number;
  name: string;
  queries: number;
  reference: number;
  tuned: number;
  mean: number;
  interval: [number, number];
  /** Optimizer steps until the weights that were kept, the same in passes over the training queries, and steps done. */
  best_step: number;
  best_epochs: number;
  steps: number;
  ended: string;
  /** Artifact folder of its training. */
  folder: string;
}

export interface FoldsResult {
  verdict: FoldsVerdict;
  variants: VariantRow[];
  folds: FoldRow[];
  /** Medians over the folds; what a final training on all data should come to. */
  median: { best_step: number; best_epochs: number };
}

/** Test queries of a fold with the scores that its own training gave them. */
interface FoldScores {
  groups: Group[];
  tuned: Scores;
  base: Scores | undefined;
}

/**
 * @param queriesPerStep `train.queries_per_step` of the recipe.
 * @param clusterOf number of the cluster by query id.
 * @throws RerankTuneError DATA_INVALID when a score is missing or a score file is damaged.
 */
export async function judgeFolds(
  finished: readonly FinishedFold[],
  clusterOf: ReadonlyMap<string, number>,
  queriesPerStep: number,
): Promise<FoldsResult> {
  const scored = await Promise.all(finished.map(readFold));
  const base = scored.every((fold) => fold.base !== undefined);
  const ranked = scored.map((fold) => rank(fold, base));
  const pooled = poolFolds(
    scored.map(({ groups }, index) => ({
      queries: groups,
      tuned: ndcgPerQuery(ranked[index]?.tuned ?? []),
      reference: ndcgPerQuery(ranked[index]?.reference ?? []),
      clusters: clustersOf(groups, clusterOf),
    })),
  );
  const folds = finished.map((fold, index) => ({
    ...describe(fold, queriesPerStep),
    ...(pooled.folds[index] as (typeof pooled.folds)[number]),
  }));
  const all = (system: keyof RankedFold) => ranked.flatMap((fold) => fold[system]);
  const clusters = scored.flatMap(({ groups }) => clustersOf(groups, clusterOf));
  return {
    verdict: wordVerdict(pooled.comparison, base ? "base" : "first_stage", folds.length, pooled.slices),
    variants: [
      row("first_stage", all("firstStage"), clusters),
      ...(base ? [row("base", all("reference"), clusters)] : []),
      row("tuned", all("tuned"), clusters),
    ],
    folds,
    median: { best_step: median(folds, "best_step"), best_epochs: median(folds, "best_epochs") },
  };
}

async function readFold({ result: { dirs, outputs } }: FinishedFold): Promise<FoldScores> {
  const scores = (system: string) => readScores(join(dirs.train ?? "", `scores.${system}.test.tsv`));
  return {
    groups: await readAllGroups(join(dirs.prepare ?? "", groupsFile("test"))),
    tuned: await scores("tuned"),
    base: (outputs.train as TrainOutput).base_is_reranker ? await scores("base") : undefined,
  };
}

interface RankedFold {
  tuned: RankedQuery[];
  reference: RankedQuery[];
  firstStage: RankedQuery[];
}

function rank({ groups, tuned, base }: FoldScores, againstBase: boolean): RankedFold {
  const firstStage = groups.map(firstStageQuery);
  const reference = againstBase && base !== undefined ? rankedQueries(groups, base) : firstStage;
  return { tuned: rankedQueries(groups, tuned), reference, firstStage };
}

/** A query that the plan does not know stands alone. */
const clustersOf = (groups: readonly Group[], clusterOf: ReadonlyMap<string, number>): number[] =>
  groups.map(({ query_id }, index) => clusterOf.get(query_id) ?? -1 - index);

function describe({ fold, name, result }: FinishedFold, queriesPerStep: number) {
  const { best_step, steps, ended } = result.outputs.train as TrainOutput;
  const { queries } = result.outputs.prepare as PrepareOutput;
  // The worker's own count of steps (training/data.py): an epoch ends with a smaller step.
  const best_epochs = best_step / Math.ceil(queries.train / queriesPerStep);
  return { fold, name, best_step, best_epochs, steps, ended, folder: result.dirs.train ?? "" };
}

const median = (folds: readonly FoldRow[], field: "best_step" | "best_epochs"): number =>
  percentile(
    folds.map((fold) => fold[field]),
    0.5,
  );

/** Means over all queries; the interval resamples clusters. */
function row(name: VariantRow["name"], queries: readonly RankedQuery[], clusters: readonly number[]): VariantRow {
  const { "mrr@10": mrr, "recall@5": recall } = qualityRow(queries);
  const { mean, interval } = bootstrapClusters(ndcgPerQuery(queries), clusters);
  return {
    name,
    "ndcg@10": mean,
    "ndcg@10_interval": interval,
    "mrr@10": mrr,
    "recall@5": recall,
    pairs_per_second: null,
    bytes: null,
    outcome: null,
  };
}
