// The sum that NDCG is made of. Knows neither the order of candidates nor ties.

/**
 * Linear gain over log2(rank + 1) in the first `cutoff` ranks (trec_eval m_ndcg_cut.c).
 * @param labels gains in ranked order; those of 0 and below add nothing.
 */
export function discountedGain(labels: readonly number[], cutoff: number): number {
  let sum = 0;
  for (let rank = 0; rank < Math.min(cutoff, labels.length); rank++) {
    const label = labels[rank] as number;
    if (label > 0) sum += label / Math.log2(rank + 2);
  }
  return sum;
}

/** The largest sum that any order of these labels can reach. */
export function idealGain(labels: readonly number[], cutoff: number): number {
  return discountedGain(
    [...labels].sort((left, right) => right - left),
    cutoff,
  );
}
