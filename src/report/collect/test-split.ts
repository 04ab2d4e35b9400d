// The scored test split as numbers: gains a query, scores by relevance, reliability. Texts are dropped while the file is read.
import { clustersOfGroups, readGroups } from "../../dataset/groups.js";
import { calibrationOf, sigmoid } from "../../ranking/calibration.js";
import { compareQueries } from "../../ranking/clusters.js";
import { ndcgAt } from "../../ranking/ndcg.js";
import type { RankedQuery } from "../../ranking/order.js";
import { type Scores, scoresFor } from "../../ranking/scores.js";
import type { Affine, Gains, Part, Reliability, SystemScores } from "../data.js";

/** A test query without any text. */
export interface TestQuery {
  id: string;
  /** In first-stage order; `rank` is absent when the first stage did not return the passage. */
  passages: { id: string; label: number; rank?: number }[];
  missed: { label: number }[];
  /** As in the groups file. */
  cluster?: number;
}

export async function readTestQueries(path: string): Promise<TestQuery[]> {
  const queries: TestQuery[] = [];
  for await (const { query_id, passages, missed = [], cluster } of readGroups(path))
    queries.push({
      id: query_id,
      passages: passages.map(({ id, label, rank }) => ({ id, label, ...(rank === undefined ? {} : { rank }) })),
      missed: missed.map(({ label }) => ({ label })),
      ...(cluster === undefined ? {} : { cluster }),
    });
  return queries;
}

/**
 * NDCG@10 of the tuned model against the base, or against the first stage where there are no scores of a base: the same
 * comparison that verify judges by.
 * @throws RerankTuneError DATA_INVALID when a candidate has no score.
 */
export function gainsOf(queries: readonly TestQuery[], tuned: Scores, base: Scores | undefined): Part<Gains> {
  if (queries.length === 0) return { missing: "The test split has no queries." };
  const own = queries.map((query) => ndcgAt(rankedBy(query, tuned), 10));
  const other = queries.map((query) => ndcgAt(base === undefined ? firstStageOrder(query) : rankedBy(query, base), 10));
  const gains = queries.map(({ id }, index) => ({ id, gain: (own[index] as number) - (other[index] as number) }));
  return {
    against: base === undefined ? "first_stage" : "base",
    comparison: compareQueries(own, other, clustersOfGroups(queries)),
    queries: gains.sort((left, right) => right.gain - left.gain || (left.id < right.id ? -1 : 1)),
  };
}

/** The scores of one system by relevance. @throws RerankTuneError DATA_INVALID when a candidate has no score. */
export function systemScores(
  system: SystemScores["system"],
  queries: readonly TestQuery[],
  scores: Scores,
): Part<SystemScores> {
  const [relevant, other]: [number[], number[]] = [[], []];
  for (const query of queries)
    for (const [index, score] of rankedBy(query, scores).scores.entries())
      ((query.passages[index]?.label ?? 0) > 0 ? relevant : other).push(score);
  if (relevant.length + other.length === 0) return { missing: "The test split has no candidates." };
  if (![...relevant, ...other].every(Number.isFinite))
    return { missing: `The ${system} model gave scores that are not numbers.` };
  return { system, relevant, other };
}

/** Reliability of sigmoid(score), after undoing `map` where it is given. */
export function reliabilityOf(
  system: Reliability["system"],
  { relevant, other }: SystemScores,
  map: Affine = { a: 1, b: 0 },
): Reliability {
  const predictions = [relevant, other].flatMap((scores, kind) =>
    scores.map((score) => ({ probability: sigmoid((score - map.b) / map.a), relevant: kind === 0 })),
  );
  return { system, calibration: calibrationOf(predictions) };
}

interface Ranked extends RankedQuery {
  scores: Float64Array;
}

function rankedBy({ id, passages, missed }: TestQuery, scores: Scores): Ranked {
  const ids = passages.map((passage) => passage.id);
  return { ids, scores: scoresFor(scores, id, ids), labels: passages.map(({ label }) => label), missed };
}

/** A passage without a rank was not returned by the first stage, so it counts as missed there (as in verify). */
function firstStageOrder({ passages, missed }: TestQuery): RankedQuery {
  const returned = passages.filter(({ rank }) => rank !== undefined);
  return {
    ids: returned.map(({ id }) => id),
    labels: returned.map(({ label }) => label),
    scores: returned.map(({ rank }) => -(rank as number)),
    missed: [...missed, ...passages.filter(({ rank, label }) => rank === undefined && label > 0)],
  };
}
