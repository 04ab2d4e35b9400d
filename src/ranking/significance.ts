// Whether a paired difference over queries is more than chance: sign-flip randomisation, Holm's correction, effect size. Pure and seeded.
import { bootstrapMean, differences, type Interval, POWER_FACTOR, smallestDetectable } from "./bootstrap.js";
import { seededIntegers } from "./random.js";
import { mean, standardDeviation } from "./statistics.js";

/** Two-sided level of every test here. */
export const ALPHA = 0.05;
/** Sampled sign flips: at p = 0.05 two standard errors are 0.003; 1,000 queries take a tenth of a second. */
export const FLIPS = 20_000;
/** Up to this many queries that differ, all 2^n sign flips are counted. */
export const EXACT_UP_TO = 20;
const SEED = 20_062;

export interface SignFlip {
  /** Two-sided, 0-1. */
  p_value: number;
  /** Whether every sign flip was counted; else they were sampled. */
  exact: boolean;
}

/**
 * Paired sign-flip randomisation test of a mean of 0 (Fisher; recommended for retrieval by Smucker, Allan and Carterette,
 * CIKM 2007). Queries without a difference decide nothing and are left out. Sampled p-values count the observed order as one
 * more flip, so that none is 0 (Phipson and Smyth 2010).
 * @param perQuery one difference a query.
 * @throws RangeError for a difference that is not finite.
 */
export function signFlipTest(perQuery: ArrayLike<number>, flips = FLIPS, seed = SEED): SignFlip {
  const values = Float64Array.from(perQuery).filter((value) => value !== 0);
  if (!values.every(Number.isFinite)) throw new RangeError("a difference is not a finite number");
  // Flips that are equal on paper differ in the last bits, depending on the order of the sum.
  const slack = 1e-12 * values.reduce((sum, value) => sum + Math.abs(value), 0);
  const threshold = Math.abs(values.reduce((sum, value) => sum + value, 0)) - slack;
  const exact = values.length <= EXACT_UP_TO;
  return { p_value: exact ? countedShare(values, threshold) : sampledShare(values, threshold, flips, seed), exact };
}

/** Share of all sign flips whose sum is at least as far from 0. The first sign stays: the other half mirrors this one. */
function countedShare(values: Float64Array, threshold: number): number {
  const count = (index: number, sum: number): number => {
    const value = values[index];
    if (value === undefined) return Math.abs(sum) >= threshold ? 1 : 0;
    return count(index + 1, sum + value) + count(index + 1, sum - value);
  };
  return values.length === 0 ? 1 : count(1, values[0] as number) / 2 ** (values.length - 1);
}

function sampledShare(values: Float64Array, threshold: number, flips: number, seed: number): number {
  const draw = seededIntegers(seed);
  let extreme = 0;
  for (let round = 0; round < flips; round++) if (Math.abs(flippedSum(values, draw)) >= threshold) extreme += 1;
  return (extreme + 1) / (flips + 1);
}

/** The sum with random signs, one bit of a 32-bit word each. */
function flippedSum(values: Float64Array, draw: (below: number) => number): number {
  let [sum, word] = [0, 0];
  for (let index = 0; index < values.length; index++) {
    if (index % 32 === 0) word = draw(2 ** 32);
    sum += (values[index] as number) * (1 - 2 * (word & 1));
    word >>>= 1;
  }
  return sum;
}

/**
 * Holm's step-down correction for several tests at once (Holm 1979).
 * @returns adjusted p-values in the order given; one below ALPHA is significant.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => (pValues[a] as number) - (pValues[b] as number));
  const adjusted = pValues.map(() => 1);
  let largest = 0;
  for (const [rank, index] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (pValues.length - rank) * (pValues[index] as number)));
    adjusted[index] = largest;
  }
  return adjusted;
}

/** Two systems over the same queries; `mean` and `interval` are of left - right, in the unit of the metric. */
export interface PairedComparison extends Interval, SignFlip {
  queries: number;
  /** Sets of queries that interval and test took as one (ranking/clusters); absent where every query stands alone. */
  clusters?: number;
  wins: number;
  ties: number;
  losses: number;
  /** Mean difference over the standard deviation of the differences; null where they do not differ among themselves. */
  cohen_dz: number | null;
  /** The smallest true difference these queries would have shown four times in five. */
  smallest_detectable: number;
}

/** Compares two systems, one value a query in the same order. Needs at least one query. */
export function comparePaired(left: ArrayLike<number>, right: ArrayLike<number>): PairedComparison {
  const perQuery = differences(left, right);
  return {
    queries: perQuery.length,
    ...bootstrapMean(perQuery),
    ...signFlipTest(perQuery),
    wins: perQuery.filter((value) => value > 0).length,
    ties: perQuery.filter((value) => value === 0).length,
    losses: perQuery.filter((value) => value < 0).length,
    cohen_dz: cohenDz(perQuery),
    smallest_detectable: smallestDetectable(perQuery),
  };
}

/** Effect size of a paired difference (Cohen 1988); null for fewer than two values or no spread. */
export function cohenDz(perQuery: ArrayLike<number>): number | null {
  const deviation = standardDeviation(perQuery);
  return deviation > 0 ? mean(perQuery) / deviation : null;
}

/** A p-value with two digits; a small one is never shown as 0. */
export function probabilityText(value: number): string {
  return value < 0.0001 ? "< 0.0001" : String(Number(value.toPrecision(2)));
}

/**
 * Before anything was measured: the smallest true mean difference that this many queries would show four times in five, for an
 * assumed standard deviation of the differences (normal approximation; the table of training.md §6). At most 1.
 */
export function detectableWith(queries: number, deviation: number): number {
  return queries < 2 ? 1 : Math.min(1, (POWER_FACTOR * deviation) / Math.sqrt(queries));
}
