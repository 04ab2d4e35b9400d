// NDCG with a cutoff, as trec_eval's ndcg_cut computes it.
import { type RankedQuery, rankedLabels, relevantLabels } from "./order.js";

/**
 * Linear gain over log2(rank + 1) (trec_eval m_ndcg_cut.c); the ideal takes all judged passages, the missed ones too.
 * @returns 0-1; 0 for a query without any relevant passage.
 */
export function ndcgAt(query: RankedQuery, cutoff: number): number {
  const ideal = discountedGain(
    relevantLabels(query).sort((left, right) => right - left),
    cutoff,
  );
  return ideal === 0 ? 0 : discountedGain(rankedLabels(query), cutoff) / ideal;
}

function discountedGain(labels: readonly number[], cutoff: number): number {
  let sum = 0;
  for (let rank = 0; rank < Math.min(cutoff, labels.length); rank++) {
    const label = labels[rank] as number;
    if (label > 0) sum += label / Math.log2(rank + 2);
  }
  return sum;
}
