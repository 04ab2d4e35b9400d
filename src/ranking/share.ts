// How much of one system's quality another one keeps: the ratio of two means over the same queries, with its interval. Pure and seeded.
import { RESAMPLES, SEED } from "./bootstrap.js";
import { totalsOf } from "./clusters.js";
import { seededIntegers } from "./random.js";
import { middle95 } from "./statistics.js";

export interface Share {
  share: number;
  /** 2.5th and 97.5th percentile of the resampled ratios. */
  interval: [number, number];
}

/**
 * Mean of `own` over mean of `other`, with a 95 % percentile bootstrap that resamples clusters and takes both sides of each along
 * (ratio of paired means: Davison and Hinkley 1997, section 2.3 and 3.8).
 * @param own one value a query, none negative; `other` in the same order.
 * @param clusterOf number of each query's cluster.
 * @returns undefined where the other side, or a resample of it, is 0 throughout: there is nothing to keep a share of.
 * @throws RangeError when the lengths differ.
 */
export function shareKept(
  own: ArrayLike<number>,
  other: ArrayLike<number>,
  clusterOf: ArrayLike<number>,
): Share | undefined {
  const [ours, theirs] = [totalsOf(own, clusterOf).sums, totalsOf(other, clusterOf).sums];
  const draw = seededIntegers(SEED);
  const ratios = new Float64Array(RESAMPLES);
  for (let round = 0; round < RESAMPLES; round++) {
    let [kept, whole] = [0, 0];
    for (let count = 0; count < ours.length; count++) {
      const cluster = draw(ours.length);
      kept += ours[cluster] as number;
      whole += theirs[cluster] as number;
    }
    if (whole === 0) return undefined;
    ratios[round] = kept / whole;
  }
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
  return { share: sum(ours) / sum(theirs), interval: middle95(ratios) };
}
