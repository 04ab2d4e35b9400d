// Where a mean hides something: the same paired difference by language, query length and source. Pure; holds no text of a query.
import type { Interval } from "./bootstrap.js";
import { bootstrapClusters, clusterSignFlip, clustersField, standingAlone } from "./clusters.js";
import { ALPHA, holm } from "./significance.js";

export type SliceKind = "language" | "query_length" | "source";

/** What slicing looks at; a group of the dataset has this shape. */
export interface Sliceable {
  query: string;
  lang?: string;
  /** Where the query or its passages come from, when the data says so. */
  source?: string;
}

export interface Slice {
  by: SliceKind;
  name: string;
  /** Positions of its queries. */
  members: number[];
}

/** `mean` and `interval` are of the difference over the queries of the slice. */
export interface SliceReport extends Interval {
  by: SliceKind;
  name: string;
  queries: number;
  /** Sets of queries that were resampled as one; absent where every query of the slice stands alone. */
  clusters?: number;
  /** Null for fewer than 30 queries (clusters, where there are such): such a p-value would be read for more than it is. */
  p_value: number | null;
  /** The same, corrected over all slices that have one (Holm). */
  p_holm: number | null;
  /** Lost even after the correction, whatever the total says. */
  significant_loss: boolean;
}

/** Fewest queries of a slice with a p-value (training.md §6). */
const P_VALUE_FROM = 30;
/** Values of one kind that are told apart; the smaller ones stand together as `other`. */
const MOST_VALUES = 20;
const NOT_GIVEN = "not given";

/** All slices of the queries. A kind with one value only says what the total says, so it has none. */
export function slicesOf(groups: readonly Sliceable[]): Slice[] {
  return [
    ...slicesByValue("language", groups, ({ lang }) => lang),
    ...slicesByLength(groups),
    ...slicesByValue("source", groups, ({ source }) => source),
  ];
}

/**
 * @param perQuery differences, in the order of the groups that were sliced.
 * @param clusterOf number of each query's cluster: whole clusters are resampled, and a p-value takes as many of them as it
 * otherwise takes queries. Without it every query stands alone.
 */
export function sliceReports(
  slices: readonly Slice[],
  perQuery: ArrayLike<number>,
  clusterOf: ArrayLike<number> = standingAlone(perQuery.length),
): SliceReport[] {
  const measured = slices.map(({ by, name, members }) => {
    const own = members.map((position) => perQuery[position] as number);
    const ownClusters = members.map((position) => clusterOf[position] as number);
    const tested = new Set(ownClusters).size >= P_VALUE_FROM;
    const p_value = tested ? clusterSignFlip(own, ownClusters).p_value : null;
    const size = { queries: own.length, ...clustersField(ownClusters) };
    return { by, name, ...size, ...bootstrapClusters(own, ownClusters), p_value };
  });
  const corrected = holm(measured.flatMap(({ p_value }) => p_value ?? []));
  return measured.map((slice) => {
    const p_holm = slice.p_value === null ? null : (corrected.shift() as number);
    return { ...slice, p_holm, significant_loss: p_holm !== null && p_holm < ALPHA && slice.mean < 0 };
  });
}

function slicesByValue(
  by: SliceKind,
  groups: readonly Sliceable[],
  read: (group: Sliceable) => string | undefined,
): Slice[] {
  const members = new Map<string, number[]>();
  for (const [position, group] of groups.entries()) {
    const value = read(group) ?? NOT_GIVEN;
    const known = members.get(value);
    if (known === undefined) members.set(value, [position]);
    else known.push(position);
  }
  if (members.size < 2) return [];
  const largest = [...members].sort(([left, a], [right, b]) => b.length - a.length || (left < right ? -1 : 1));
  const slices = largest.slice(0, MOST_VALUES).map(([name, positions]) => ({ by, name, members: positions }));
  const rest = largest.slice(MOST_VALUES).flatMap(([, positions]) => positions);
  return rest.length === 0 ? slices : [...slices, { by, name: "other", members: rest }];
}

/** Thirds by the number of characters (code points); queries of one length stay together. */
function slicesByLength(groups: readonly Sliceable[]): Slice[] {
  const lengths = groups.map(({ query }) => [...query].length);
  const sorted = [...lengths].sort((left, right) => left - right);
  const [low, high] = [1, 2].map((third) => sorted[Math.ceil((third * sorted.length) / 3) - 1] ?? 0) as [
    number,
    number,
  ];
  const bands: [string, (length: number) => boolean][] = [
    [`up to ${low} characters`, (length) => length <= low],
    [
      low + 1 === high ? `${high} characters` : `${low + 1} to ${high} characters`,
      (length) => length > low && length <= high,
    ],
    [`${high + 1} characters and more`, (length) => length > high],
  ];
  const slices = bands
    .map(([name, holds]): Slice => {
      const members = lengths.flatMap((length, position) => (holds(length) ? [position] : []));
      return { by: "query_length", name, members };
    })
    .filter(({ members }) => members.length > 0);
  return slices.length < 2 ? [] : slices;
}
