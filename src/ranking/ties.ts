// What tied scores do to a ranking: how many candidates share a score, and NDCG averaged over all orders of them.
import { discountedGain, idealGain } from "./gain.js";
import { type RankedQuery, rankingOrder, relevantLabels } from "./order.js";

/**
 * The mean of `ndcgAt` over every order in which the tied candidates could stand (McSherry and Najork, ECIR 2008, section 3.3).
 * Exact, without drawing orders: each place of a tie holds every candidate of it equally often, so it holds their mean gain.
 * @returns 0-1; equal to `ndcgAt` without ties; 0 for a query without any relevant passage.
 */
export function tieAveragedNdcgAt(query: RankedQuery, cutoff: number): number {
  const ideal = idealGain(relevantLabels(query), cutoff);
  return ideal === 0 ? 0 : discountedGain(expectedGains(query), cutoff) / ideal;
}

/** How many candidates have the score of another candidate of the same query. */
export function tiedCandidates(scores: ArrayLike<number>): number {
  const sorted = Float64Array.from(scores, sortKey).sort();
  return tieGroups(sorted).reduce((sum, [start, end]) => (end - start > 1 ? sum + end - start : sum), 0);
}

/** The gain that each rank holds on average. */
function expectedGains(query: RankedQuery): number[] {
  const order = rankingOrder(query.scores, query.ids);
  const gains = order.map((position) => Math.max(0, query.labels[position] ?? 0));
  const keys = order.map((position) => sortKey(query.scores[position] ?? Number.NaN));
  for (const [start, end] of tieGroups(keys)) {
    const sum = gains.slice(start, end).reduce((total, gain) => total + gain, 0);
    gains.fill(sum / (end - start), start, end);
  }
  return gains;
}

/** Ranges of equal neighbours, the end not included. */
function tieGroups(sorted: ArrayLike<number>): [number, number][] {
  const groups: [number, number][] = [];
  for (let start = 0; start < sorted.length; ) {
    let end = start + 1;
    while (end < sorted.length && sorted[end] === sorted[start]) end += 1;
    groups.push([start, end]);
    start = end;
  }
  return groups;
}

/** NaN ranks last, as in `rankingOrder`. trec_eval compares float32 (`float sim` in form_res_rels.c), so what is equal there is a tie. */
function sortKey(score: number): number {
  return Number.isNaN(score) ? Number.NEGATIVE_INFINITY : Math.fround(score);
}
