// Descriptive statistics over numbers. Nothing here knows of queries or passages.

/** Arithmetic mean; NaN for an empty list. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index] as number;
  return sum / values.length;
}

/** Sample standard deviation (n - 1); 0 for fewer than two values. */
export function standardDeviation(values: ArrayLike<number>): number {
  if (values.length < 2) return 0;
  const center = mean(values);
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += ((values[index] as number) - center) ** 2;
  return Math.sqrt(sum / (values.length - 1));
}

/**
 * Percentile with linear interpolation between closest ranks (numpy's default, type 7 of Hyndman and Fan 1996).
 * @param share 0-1.
 * @throws RangeError for an empty list.
 */
export function percentile(values: ArrayLike<number>, share: number): number {
  if (values.length === 0) throw new RangeError("a percentile needs at least one value");
  const sorted = Float64Array.from(values).sort();
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (place - below);
}

/** Where 95 % of resampled values lie: 2.5th and 97.5th percentile. */
export function middle95(values: ArrayLike<number>): [number, number] {
  return [percentile(values, 0.025), percentile(values, 0.975)];
}

/**
 * Spearman's rank correlation with average ranks for ties (Pearson's correlation of the ranks).
 * @returns -1 to 1; null when it is not defined: fewer than two values, or all equal on one side.
 */
export function spearman(left: ArrayLike<number>, right: ArrayLike<number>): number | null {
  if (left.length !== right.length) throw new RangeError(`lengths differ: ${left.length} and ${right.length}`);
  return pearson(averageRanks(left), averageRanks(right));
}

function pearson(left: Float64Array, right: Float64Array): number | null {
  const [meanLeft, meanRight] = [mean(left), mean(right)];
  let [product, squaresLeft, squaresRight] = [0, 0, 0];
  for (let index = 0; index < left.length; index++) {
    const a = (left[index] as number) - meanLeft;
    const b = (right[index] as number) - meanRight;
    product += a * b;
    squaresLeft += a * a;
    squaresRight += b * b;
  }
  return squaresLeft > 0 && squaresRight > 0 ? product / Math.sqrt(squaresLeft * squaresRight) : null;
}

function averageRanks(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, index) => index).sort((a, b) => (values[a] as number) - (values[b] as number));
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end] as number] === values[order[start] as number]) end += 1;
    for (let place = start; place < end; place++) ranks[order[place] as number] = (start + end - 1) / 2;
    start = end;
  }
  return ranks;
}
