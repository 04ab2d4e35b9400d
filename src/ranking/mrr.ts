// Reciprocal rank with a cutoff; a mean over queries makes it MRR.
import { type RankedQuery, rankedLabels } from "./order.js";

/** One over the rank of the first passage with a label of at least 1 (trec_eval's level), 0 when there is none in the first `cutoff`. */
export function reciprocalRankAt(query: RankedQuery, cutoff: number): number {
  const rank = rankedLabels(query)
    .slice(0, cutoff)
    .findIndex((label) => label >= RELEVANT_FROM);
  return rank === -1 ? 0 : 1 / (rank + 1);
}

/** trec_eval's `-l`, default 1. */
export const RELEVANT_FROM = 1;
