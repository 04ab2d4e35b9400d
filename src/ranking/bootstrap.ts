// Uncertainty of a mean over queries: bootstrap intervals and the smallest difference a split can show.
import { seededIntegers } from "./random.js";
import { mean, middle95, standardDeviation } from "./statistics.js";

export const RESAMPLES = 10_000;
/** Of all bootstraps, so that clusters of one query give the very same interval as queries. */
export const SEED = 20_061;

export interface Interval {
  mean: number;
  /** 2.5th and 97.5th percentile of the resampled means. */
  interval: [number, number];
}

/**
 * 95 % percentile bootstrap of a mean, resampling queries (Efron and Tibshirani 1993, chapter 13).
 * @param values one value a query; must not be empty.
 */
export function bootstrapMean(values: ArrayLike<number>, resamples = RESAMPLES, seed = SEED): Interval {
  const source = Float64Array.from(values);
  const draw = seededIntegers(seed);
  const means = new Float64Array(resamples);
  for (let round = 0; round < resamples; round++) {
    let sum = 0;
    for (let count = 0; count < source.length; count++) sum += source[draw(source.length)] as number;
    means[round] = sum / source.length;
  }
  return { mean: mean(source), interval: middle95(means) };
}

/** Bootstrap of the paired difference `left - right` over the same queries in the same order. */
export function bootstrapDifference(
  left: ArrayLike<number>,
  right: ArrayLike<number>,
  resamples = RESAMPLES,
  seed = SEED,
): Interval {
  return bootstrapMean(differences(left, right), resamples, seed);
}

/** `left - right`, query by query. */
export function differences(left: ArrayLike<number>, right: ArrayLike<number>): Float64Array {
  if (left.length !== right.length) throw new RangeError(`lengths differ: ${left.length} and ${right.length}`);
  return Float64Array.from(left, (value, index) => value - (right[index] as number));
}

/** z(0.975) + z(0.80): two-sided test at alpha .05 with 80 % power. */
export const POWER_FACTOR = 1.959963985 + 0.841621234;

/**
 * The smallest true mean difference that a paired test over these queries would find four times in five
 * (normal approximation; training.md §6 has the table it reproduces). At most 1, the width of the metric; 1 for fewer than two queries.
 */
export function smallestDetectable(perQueryDifferences: ArrayLike<number>): number {
  const count = perQueryDifferences.length;
  if (count < 2) return 1;
  return Math.min(1, (POWER_FACTOR * standardDeviation(perQueryDifferences)) / Math.sqrt(count));
}
