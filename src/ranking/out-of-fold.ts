// One comparison out of k: every query judged by the model that did not see it, all folds pooled. Pure; reads no file.
import { differences, type Interval } from "./bootstrap.js";
import { bootstrapClusters, type ClusteredComparison, compareClustered } from "./clusters.js";
import { type Sliceable, type SliceReport, sliceReports, slicesOf } from "./slices.js";
import { mean } from "./statistics.js";

/** The test queries of one fold; all lists run in parallel. Metrics are 0-1. */
export interface FoldQueries {
  queries: readonly Sliceable[];
  tuned: ArrayLike<number>;
  /** The base or the first stage. */
  reference: ArrayLike<number>;
  /** Number of each query's cluster, over all folds. */
  clusters: readonly number[];
}

/** One fold; `mean` and `interval` are of tuned - reference. */
export interface FoldDifference extends Interval {
  queries: number;
  tuned: number;
  reference: number;
}

export interface PooledFolds {
  /** Tuned minus reference over the queries of all folds. */
  comparison: ClusteredComparison;
  folds: FoldDifference[];
  slices: SliceReport[];
}

/**
 * Pools the per-query values of all folds (training.md §3: pooled out-of-fold per-query metrics). Averaging the folds' means
 * instead would give a query of a small fold more weight.
 * @param folds at least one, none of them without queries.
 */
export function poolFolds(folds: readonly FoldQueries[]): PooledFolds {
  const tuned = folds.flatMap((fold) => Array.from(fold.tuned));
  const reference = folds.flatMap((fold) => Array.from(fold.reference));
  const clusters = folds.flatMap((fold) => [...fold.clusters]);
  return {
    comparison: compareClustered(tuned, reference, clusters),
    folds: folds.map((fold) => ({
      queries: fold.queries.length,
      tuned: mean(fold.tuned),
      reference: mean(fold.reference),
      ...bootstrapClusters(differences(fold.tuned, fold.reference), fold.clusters),
    })),
    slices: sliceReports(slicesOf(folds.flatMap((fold) => [...fold.queries])), differences(tuned, reference), clusters),
  };
}
