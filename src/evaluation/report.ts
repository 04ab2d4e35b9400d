// The answer of an evaluation: counts, both metric tables and their difference. Pure; reads and scores nothing.
import type { FirstStage } from "./first-stage.js";
import { type EvaluationGroup, rankedBy, rankedByFirstStage } from "./groups.js";
import { type Difference, type IntervalMetric, type MetricTable, metricDifferences, metricTable } from "./metrics.js";
import type { EvaluatedModel } from "./model.js";
import type { ModelScores } from "./scores.js";
import type { EvaluationSplit, Sample } from "./split.js";

/** `data` of the command's JSON. Metrics are 0-1. */
export interface Evaluation {
  model: EvaluatedModel;
  data: string;
  split: string;
  /** Path of the run the candidates are from; null for BM25 made here. */
  run: string | null;
  first_stage_name: string;
  first_stage_source: FirstStage["source"];
  queries: number;
  /** Null when all queries of the split were measured. */
  sample: Sample | null;
  /** Pairs that were scored, and the longest list of a query. */
  candidates: number;
  depth: number;
  metrics: MetricTable["metrics"];
  intervals: MetricTable["intervals"];
  first_stage: MetricTable["metrics"];
  first_stage_intervals: MetricTable["intervals"];
  /** Model minus first stage, over the same candidates. */
  difference: Record<IntervalMetric, Difference>;
  /** Queries whose score no reranker can lift from 0, and among them those that the first stage lacks. */
  queries_without_relevant_candidate: number;
  queries_without_candidates: number;
  /** Judged relevant, and among them not in the candidates; they stay in the ideal and in recall. */
  relevant: number;
  missed: number;
  pairs_at_max_length: number;
  /** Scores that are NaN or infinite; a NaN ranks last. */
  scores_not_finite: number;
  /** Tokenizing and scoring, without loading the model. */
  seconds: number;
  pairs_per_second: number;
  device: string;
  /** Path of the run that was written. */
  out: string | null;
}

/** What was evaluated on what. */
export interface EvaluationPlan {
  model: EvaluatedModel;
  data: string;
  split: string;
  out: string | null;
}

/** What was read for it. */
export interface EvaluationInput {
  split: EvaluationSplit;
  stage: FirstStage;
  groups: EvaluationGroup[];
}

export function evaluationReport(plan: EvaluationPlan, input: EvaluationInput, scored: ModelScores): Evaluation {
  const { stage, groups } = input;
  const { groups: scores, ...speed } = scored;
  const counts = countsOf(groups);
  return {
    ...plan,
    run: stage.run,
    first_stage_name: stage.name,
    first_stage_source: stage.source,
    sample: input.split.sample,
    ...counts,
    ...compare(groups, scores, counts.depth),
    scores_not_finite: notFinite(scores),
    ...speed,
    pairs_per_second: speed.seconds > 0 ? counts.candidates / speed.seconds : 0,
  };
}

function countsOf(groups: readonly EvaluationGroup[]) {
  const relevantIn = ({ candidates }: EvaluationGroup) => candidates.filter(({ label }) => label > 0).length;
  const sum = (value: (group: EvaluationGroup) => number) => groups.reduce((total, group) => total + value(group), 0);
  const missed = sum((group) => group.missed.length);
  return {
    queries: groups.length,
    candidates: sum(({ candidates }) => candidates.length),
    depth: groups.reduce((most, { candidates }) => Math.max(most, candidates.length), 0),
    queries_without_relevant_candidate: groups.filter((group) => relevantIn(group) === 0).length,
    queries_without_candidates: groups.filter(({ candidates }) => candidates.length === 0).length,
    relevant: missed + sum(relevantIn),
    missed,
  };
}

/** Both systems over the same candidates. */
function compare(groups: readonly EvaluationGroup[], scores: readonly ArrayLike<number>[], depth: number) {
  const judged = groups.map(({ candidates }) => candidates.map((candidate) => candidate.judged));
  const system = (ranked: ReturnType<typeof rankedBy>[]) =>
    metricTable(
      ranked.map((query, at) => ({ ranked: query, judged: judged[at] ?? [] })),
      depth,
    );
  const model = system(groups.map((group, at) => rankedBy(group, scores[at] ?? [])));
  const first = system(groups.map(rankedByFirstStage));
  return {
    metrics: model.metrics,
    intervals: model.intervals,
    first_stage: first.metrics,
    first_stage_intervals: first.intervals,
    difference: metricDifferences(model, first),
  };
}

function notFinite(scores: readonly ArrayLike<number>[]): number {
  const broken = (ofGroup: ArrayLike<number>) => Array.from(ofGroup).filter((score) => !Number.isFinite(score)).length;
  return scores.reduce((sum, ofGroup) => sum + broken(ofGroup), 0);
}
