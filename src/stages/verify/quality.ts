// Ranking quality of one set of scores on the test groups, and its difference to a reference. Pure computing.
import type { Group } from "../../dataset/groups.js";
import { differences } from "../../ranking/bootstrap.js";
import { bootstrapClusters, clustersField, detectableInClusters, standingAlone } from "../../ranking/clusters.js";
import { reciprocalRankAt } from "../../ranking/mrr.js";
import { ndcgAt } from "../../ranking/ndcg.js";
import type { RankedQuery } from "../../ranking/order.js";
import { recallAt } from "../../ranking/recall.js";
import { type Scores, scoresFor } from "../../ranking/scores.js";
import { mean, standardDeviation } from "../../ranking/statistics.js";
import type { NdcgDifference, QualityRow } from "./schema.js";

/** Scores of the passages of each group, in the order of both. */
export type GroupScores = readonly ArrayLike<number>[];

/** The scores of a file in the order of the groups. @throws RerankTuneError DATA_INVALID when a candidate has none. */
export const alignScores = (groups: readonly Group[], scores: Scores): GroupScores =>
  groups.map(({ query_id, passages }) =>
    scoresFor(
      scores,
      query_id,
      passages.map(({ id }) => id),
    ),
  );

/** All queries ranked by the scores of a file. @throws RerankTuneError DATA_INVALID when a candidate has none. */
export function rankedQueries(groups: readonly Group[], scores: Scores): RankedQuery[] {
  const aligned = alignScores(groups, scores);
  return groups.map((group, index) => rankedQuery(group, aligned[index] as ArrayLike<number>));
}

/** A query ranked by `scores`. */
export function rankedQuery(group: Group, scores: ArrayLike<number>): RankedQuery {
  return {
    scores,
    labels: group.passages.map(({ label }) => label),
    ids: group.passages.map(({ id }) => id),
    ...(group.missed === undefined ? {} : { missed: group.missed }),
  };
}

/** The first stage's own order. A passage without a rank was not returned by it, so it counts as missed. */
export function firstStageQuery(group: Group): RankedQuery {
  const returned = group.passages.filter(({ rank }) => rank !== undefined);
  const notReturned = group.passages.filter(({ rank, label }) => rank === undefined && label > 0);
  const query = rankedQuery(
    { ...group, passages: returned },
    returned.map(({ rank }) => -(rank as number)),
  );
  return { ...query, missed: [...(group.missed ?? []), ...notReturned] };
}

export const ndcgPerQuery = (queries: readonly RankedQuery[]): Float64Array =>
  Float64Array.from(queries, (query) => ndcgAt(query, 10));

/**
 * Means over all queries, those without any relevant passage included as 0 (trec_eval -c).
 * @param clusterOf number of each query's cluster: the interval resamples whole clusters.
 */
export function qualityRow(
  queries: readonly RankedQuery[],
  clusterOf: readonly number[] = standingAlone(queries.length),
): QualityRow {
  const { mean: ndcg, interval } = bootstrapClusters(ndcgPerQuery(queries), clusterOf);
  return {
    "ndcg@10": ndcg,
    "ndcg@10_interval": interval,
    "mrr@10": mean(queries.map((query) => reciprocalRankAt(query, 10))),
    "recall@5": mean(queries.map((query) => recallAt(query, 5))),
    queries: queries.length,
    ...clustersField(clusterOf),
  };
}

/**
 * NDCG@10 of `queries` minus that of `reference`, query by query over the same groups.
 * @param clusterOf number of each query's cluster.
 */
export function ndcgDifference(
  queries: readonly RankedQuery[],
  reference: readonly RankedQuery[],
  clusterOf: readonly number[] = standingAlone(queries.length),
): NdcgDifference {
  const perQuery = differences(ndcgPerQuery(queries), ndcgPerQuery(reference));
  return {
    ...bootstrapClusters(perQuery, clusterOf),
    smallest_detectable: detectableInClusters(perQuery, clusterOf),
    ...clustersField(clusterOf),
  };
}

/** Root mean square of `scores - reference` over the standard deviation of `reference`; null when that is 0 or not finite. */
export function relativeError(scores: ArrayLike<number>, reference: ArrayLike<number>): number | null {
  const squares = differences(scores, reference).map((difference) => difference ** 2);
  const error = Math.sqrt(mean(squares)) / standardDeviation(reference);
  return Number.isFinite(error) ? error : null;
}

export function flatten(scores: GroupScores): number[] {
  return scores.flatMap((ofGroup) => Array.from(ofGroup));
}
