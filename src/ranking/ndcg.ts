// NDCG with a cutoff, as trec_eval's ndcg_cut computes it.
import { discountedGain, idealGain } from "./gain.js";
import { type RankedQuery, rankedLabels, relevantLabels } from "./order.js";

/**
 * Linear gain over log2(rank + 1) (trec_eval m_ndcg_cut.c); the ideal takes all judged passages, the missed ones too.
 * @returns 0-1; 0 for a query without any relevant passage.
 */
export function ndcgAt(query: RankedQuery, cutoff: number): number {
  const ideal = idealGain(relevantLabels(query), cutoff);
  return ideal === 0 ? 0 : discountedGain(rankedLabels(query), cutoff) / ideal;
}
