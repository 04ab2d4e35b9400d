// The metric table of one system over all queries, and the paired difference of two. Pure; the definitions are ranking's.
import { bootstrapDifference, bootstrapMean } from "../ranking/bootstrap.js";
import { judgedAt } from "../ranking/judged.js";
import { reciprocalRankAt } from "../ranking/mrr.js";
import { ndcgAt } from "../ranking/ndcg.js";
import type { RankedQuery } from "../ranking/order.js";
import { averagePrecision, precisionAt, recallAt } from "../ranking/recall.js";
import { mean } from "../ranking/statistics.js";
import { tieAveragedNdcgAt, tiedCandidates } from "../ranking/ties.js";

/** Metrics that come with a 95 % interval. */
export const INTERVAL_METRICS = ["ndcg@10", "mrr@10", "recall@5"] as const;
export type IntervalMetric = (typeof INTERVAL_METRICS)[number];

/** One query as one system ranked it. */
export interface SystemQuery {
  ranked: RankedQuery;
  /** Which candidates somebody judged, in parallel to them. */
  judged: readonly boolean[];
}

export interface MetricTable {
  /** 0-1; means over all queries, those without candidates counted as 0 (trec_eval -c). Null where it is not defined. */
  metrics: Record<string, number | null>;
  /** 2.5th and 97.5th percentile of the bootstrapped mean. */
  intervals: Record<IntervalMetric, [number, number]>;
  /** One value a query, for paired differences. */
  perQuery: Record<IntervalMetric, Float64Array>;
}

export interface Difference {
  mean: number;
  interval: [number, number];
}

type Metric = (query: RankedQuery) => number;

/** In the order of the report. success@1 is P@1 by its definition; both names are looked for. */
function metricsUpTo(depth: number): Record<string, Metric> {
  const named = (name: string, cutoffs: readonly number[], metric: (query: RankedQuery, cutoff: number) => number) =>
    cutoffs.map((cutoff): [string, Metric] => [`${name}@${cutoff}`, (query) => metric(query, cutoff)]);
  // Recall beyond the depth would repeat recall at the depth; recall@5 stays, because every table has it.
  const recalls = [1, 3, 5, 10, 100].filter((cutoff) => cutoff <= depth || cutoff === 5);
  return Object.fromEntries<Metric>([
    ...named("ndcg", [1, 3, 5, 10, 20], ndcgAt),
    ...named("mrr", [10], reciprocalRankAt),
    ["map", averagePrecision],
    ...named("p", [1, 3, 5], precisionAt),
    ...named("recall", recalls, recallAt),
    ...named("success", [1], precisionAt),
  ]);
}

/**
 * All metrics of one system.
 * @param queries at least one.
 * @param depth candidates of the longest list.
 */
export function metricTable(queries: readonly SystemQuery[], depth: number): MetricTable {
  const ranked = queries.map((query) => query.ranked);
  const values = Object.entries(metricsUpTo(depth)).map(
    ([name, metric]) => [name, Float64Array.from(ranked, metric)] as const,
  );
  const perQuery = Object.fromEntries(values) as Record<IntervalMetric, Float64Array>;
  return {
    metrics: {
      ...Object.fromEntries(values.map(([name, list]) => [name, mean(list)])),
      "judged@10": judgedShare(queries),
      tie_rate: tieRate(ranked),
      "ndcg@10_tie_averaged": mean(ranked.map((query) => tieAveragedNdcgAt(query, 10))),
    },
    intervals: byMetric((name) => bootstrapMean(perQuery[name]).interval),
    perQuery: byMetric((name) => perQuery[name]),
  };
}

/** `model - other` over the same queries, by paired bootstrap. */
export function metricDifferences(model: MetricTable, other: MetricTable): Record<IntervalMetric, Difference> {
  return byMetric((name) => bootstrapDifference(model.perQuery[name], other.perQuery[name]));
}

/** Mean over the queries that have candidates: nothing can be said of an empty list. */
function judgedShare(queries: readonly SystemQuery[]): number | null {
  const shares = queries
    .filter(({ judged }) => judged.length > 0)
    .map(({ ranked, judged }) => judgedAt(ranked, judged, 10));
  return shares.length === 0 ? null : mean(shares);
}

/** Share of all candidates that have the score of another candidate of their query. */
function tieRate(queries: readonly RankedQuery[]): number | null {
  const candidates = queries.reduce((sum, { ids }) => sum + ids.length, 0);
  const tied = queries.reduce((sum, { scores }) => sum + tiedCandidates(scores), 0);
  return candidates === 0 ? null : tied / candidates;
}

function byMetric<Value>(value: (name: IntervalMetric) => Value): Record<IntervalMetric, Value> {
  return Object.fromEntries(INTERVAL_METRICS.map((name) => [name, value(name)])) as Record<IntervalMetric, Value>;
}
