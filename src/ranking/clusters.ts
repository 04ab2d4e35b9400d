// Paired comparison of queries that come in clusters, such as near-duplicates or queries of one document: clusters are resampled, not queries. Pure and seeded.
import { differences, type Interval, POWER_FACTOR, RESAMPLES, SEED, smallestDetectable } from "./bootstrap.js";
import { seededIntegers } from "./random.js";
import { comparePaired, type PairedComparison, signFlipTest } from "./significance.js";
import { mean, middle95 } from "./statistics.js";

export interface ClusteredComparison extends PairedComparison {
  /** Sets of queries that were resampled as one; as many as queries where all stand alone. */
  clusters: number;
}

/** Every one of so many queries under a number of its own. */
export const standingAlone = (queries: number): number[] => Array.from({ length: queries }, (_, query) => query);

/** Number of clusters as a field of a record: absent where every query stands alone, so that such a record does not change. */
export function clustersField(clusterOf: ArrayLike<number>): { clusters?: number } {
  const clusters = new Set(Array.from(clusterOf)).size;
  return clusters === clusterOf.length ? {} : { clusters };
}

/** ` in 12 clusters`, to follow a number of queries; empty where all of them stand alone. */
export function inClusters({ clusters }: { clusters?: number }, show: (clusters: number) => string = String): string {
  return clusters === undefined ? "" : ` in ${show(clusters)} ${clusters === 1 ? "cluster" : "clusters"}`;
}

/** What the resampling needs of a cluster: sum of its values, and how many they are. */
export interface Totals {
  sums: Float64Array;
  sizes: Float64Array;
}

/** In order of the first query of each cluster. */
export function totalsOf(perQuery: ArrayLike<number>, clusterOf: ArrayLike<number>): Totals {
  if (perQuery.length !== clusterOf.length)
    throw new RangeError(`lengths differ: ${perQuery.length} and ${clusterOf.length}`);
  const places = new Map<number, number>();
  const [sums, sizes]: [number[], number[]] = [[], []];
  for (let query = 0; query < perQuery.length; query++) {
    const place = places.get(clusterOf[query] as number) ?? places.size;
    places.set(clusterOf[query] as number, place);
    sums[place] = (sums[place] ?? 0) + (perQuery[query] as number);
    sizes[place] = (sizes[place] ?? 0) + 1;
  }
  return { sums: Float64Array.from(sums), sizes: Float64Array.from(sizes) };
}

/**
 * 95 % percentile bootstrap of a mean over queries that resamples whole clusters (Davison and Hinkley 1997, section 3.8).
 * @param perQuery one value a query; must not be empty.
 * @param clusterOf number of each query's cluster.
 * @throws RangeError when the lengths differ.
 */
export function bootstrapClusters(
  perQuery: ArrayLike<number>,
  clusterOf: ArrayLike<number>,
  resamples = RESAMPLES,
  seed = SEED,
): Interval {
  const { sums, sizes } = totalsOf(perQuery, clusterOf);
  const draw = seededIntegers(seed);
  const means = new Float64Array(resamples);
  for (let round = 0; round < resamples; round++) {
    let [sum, size] = [0, 0];
    for (let count = 0; count < sums.length; count++) {
      const cluster = draw(sums.length);
      sum += sums[cluster] as number;
      size += sizes[cluster] as number;
    }
    means[round] = sum / size;
  }
  return { mean: mean(perQuery), interval: middle95(means) };
}

/**
 * The smallest true mean difference that a test over these clusters would find four times in five: the cluster-robust standard
 * error (Cameron and Miller 2015, section II) in the place of the plain one. At most 1; 1 for fewer than two clusters. Where
 * every query stands alone it is that of bootstrap.ts, to the last digit.
 */
export function detectableInClusters(perQuery: ArrayLike<number>, clusterOf: ArrayLike<number>): number {
  const { sums, sizes } = totalsOf(perQuery, clusterOf);
  if (sums.length === perQuery.length) return smallestDetectable(perQuery);
  if (sums.length < 2) return 1;
  const center = mean(perQuery);
  const squares = sums.reduce((sum, own, at) => sum + (own - (sizes[at] as number) * center) ** 2, 0);
  const error = Math.sqrt((sums.length / (sums.length - 1)) * squares) / perQuery.length;
  return Math.min(1, POWER_FACTOR * error);
}

/** Two-sided p-value of a mean of 0: one sign a cluster, since what joins its queries moves them together. */
export function clusterSignFlip(perQuery: ArrayLike<number>, clusterOf: ArrayLike<number>) {
  return signFlipTest(totalsOf(perQuery, clusterOf).sums);
}

/**
 * Compares two systems, one value a query in the same order; the same as `comparePaired` where every query stands alone.
 * @param clusterOf number of each query's cluster.
 * @throws RangeError when the lengths differ.
 */
export function compareClustered(
  left: ArrayLike<number>,
  right: ArrayLike<number>,
  clusterOf: ArrayLike<number>,
): ClusteredComparison {
  const clusters = new Set(Array.from(clusterOf)).size;
  const plain = comparePaired(left, right);
  if (clusters === plain.queries) return { ...plain, clusters };
  const perQuery = differences(left, right);
  return {
    ...plain,
    ...bootstrapClusters(perQuery, clusterOf),
    ...clusterSignFlip(perQuery, clusterOf),
    smallest_detectable: detectableInClusters(perQuery, clusterOf),
    clusters,
  };
}

/**
 * `compareClustered` as a record has it: without `clusters`, and equal to `comparePaired`, where every query stands alone.
 * @throws RangeError when the lengths differ.
 */
export function compareQueries(
  left: ArrayLike<number>,
  right: ArrayLike<number>,
  clusterOf: ArrayLike<number>,
): PairedComparison {
  const { clusters: _, ...comparison } = compareClustered(left, right, clusterOf);
  return { ...comparison, ...clustersField(clusterOf) };
}
