// How far a variant's scores agree with the tuned model's, and what the recipe allows. Pure computing.
import { clustersOfGroups, type Group } from "../../dataset/groups.js";
import { rankingOrder } from "../../ranking/order.js";
import { mean, spearman } from "../../ranking/statistics.js";
import { atLeast, atMost, notWorse } from "./gates.js";
import { flatten, type GroupScores, ndcgDifference, qualityRow, rankedQuery, relativeError } from "./quality.js";
import type { GateResult, VariantReport, VerifyOptions } from "./schema.js";

export interface Agreement {
  /** Mean rank correlation over the queries where it is defined; null when it is nowhere. */
  spearman: number | null;
  /** Queries whose best passage is another one. */
  top1_flips: number;
  /** Passages whose sigmoid(score) lies on the other side of the threshold: what a consumer drops by score would change for them. */
  threshold_crossings: number;
  /** Root mean square of the difference over the standard deviation of the reference scores; null when the reference is constant. */
  relative_error: number | null;
}

/**
 * How far two sets of scores over the same groups agree.
 * @param threshold of sigmoid(score), between 0 and 1.
 */
export function agreement(
  groups: readonly Group[],
  scores: GroupScores,
  reference: GroupScores,
  threshold = 0.5,
): Agreement {
  const correlations: number[] = [];
  let flips = 0;
  for (const [index, group] of groups.entries()) {
    const [own, other] = [scores[index] as ArrayLike<number>, reference[index] as ArrayLike<number>];
    const correlation = spearman(own, other);
    if (correlation !== null && Number.isFinite(correlation)) correlations.push(correlation);
    const ids = group.passages.map(({ id }) => id);
    if (rankingOrder(own, ids)[0] !== rankingOrder(other, ids)[0]) flips += 1;
  }
  const [all, others] = [flatten(scores), flatten(reference)];
  const kept = (score: number): boolean => score >= Math.log(threshold / (1 - threshold));
  return {
    spearman: correlations.length === 0 ? null : mean(correlations),
    top1_flips: flips,
    threshold_crossings: all.filter((score, index) => kept(score) !== kept(others[index] as number)).length,
    relative_error: relativeError(all, others),
  };
}

interface Judged {
  row: VariantReport["quality"];
  difference: VariantReport["ndcg_difference"];
  agreement: Agreement | null;
  gates: GateResult[];
}

/** Quality of a variant on the test groups, and its gates against the tuned model where there is a `reference`. */
export function judgeQuality(
  scores: readonly Float32Array[],
  groups: readonly Group[],
  { gates: limits, threshold }: VerifyOptions,
  reference: GroupScores | undefined,
): Judged {
  if (groups.length === 0) return { row: null, difference: null, agreement: null, gates: [] };
  const queries = groups.map((group, index) => rankedQuery(group, scores[index] as Float32Array));
  const clusterOf = clustersOfGroups(groups);
  const row = qualityRow(queries, clusterOf);
  if (reference === undefined) return { row, difference: null, agreement: null, gates: [] };
  const difference = ndcgDifference(
    queries,
    groups.map((group, index) => rankedQuery(group, reference[index] as ArrayLike<number>)),
    clusterOf,
  );
  const agreed = agreement(groups, scores, reference, threshold);
  const gates = [notWorse(difference, limits.ndcg_max_drop, groups.length), ...shareGates(agreed, groups, limits)];
  if (agreed.spearman !== null)
    gates.push(
      atLeast(
        "spearman_min",
        agreed.spearman,
        limits.spearman_min,
        "mean rank correlation a query with the tuned model",
      ),
    );
  return { row, difference, agreement: agreed, gates };
}

/** Gates on what single queries and passages notice; none unless the recipe names a limit. */
function shareGates(
  { top1_flips, threshold_crossings }: Agreement,
  groups: readonly Group[],
  { top1_flips_max, threshold_crossings_max }: VerifyOptions["gates"],
): GateResult[] {
  const pairs = groups.reduce((sum, { passages }) => sum + passages.length, 0);
  const flips = `share of ${groups.length} queries with another best passage`;
  const crossings = `share of ${pairs} pairs on the other side of the threshold`;
  return [
    ...(top1_flips_max === undefined
      ? []
      : [atMost("top1_flips_max", top1_flips / groups.length, top1_flips_max, flips)]),
    ...(threshold_crossings_max === undefined
      ? []
      : [atMost("threshold_crossings_max", threshold_crossings / pairs, threshold_crossings_max, crossings)]),
  ];
}
