// Gives every query a side: one split, a split by time, or one split a fold. Pure; works on numbers of queries in clusters.
import { SPLITS, type Split } from "../../dataset/groups.js";
import { divide, roomFor, type Shares, type Shuffle, type SidesOf } from "../../dataset/query-split.js";

/** One train, dev and test. */
export interface Assignment {
  /** Folder below the output, empty for the output itself. */
  folder: string;
  sideOf(query: number): Split;
}

export interface AssignInput {
  /** Queries that must stay together. */
  clusters: readonly (readonly number[])[];
  /** Queries that cannot be measured: train alone may have them. */
  trainOnly(query: number): boolean;
  share: Shares;
  /** A seeded shuffle for each purpose. */
  shuffle(purpose: string): Shuffle;
}

/** Whole clusters drawn by the seed (dataset/query-split). */
export function assignOnce({ clusters, share, shuffle, trainOnly }: AssignInput): Assignment[] {
  return [assignment("", divide(clusters, share, shuffle("split"), trainOnly))];
}

/**
 * The newest clusters are tested, the next are dev. A cluster is as new as its newest query, so that nothing in train is
 * newer than a tested query; the last cluster of a side may overfill it.
 * @param timeOf any scale that grows with time.
 */
export function assignByTime(
  { clusters, share, trainOnly }: Pick<AssignInput, "clusters" | "share" | "trainOnly">,
  timeOf: (query: number) => number,
): Assignment[] {
  const newest = (cluster: readonly number[]): number =>
    cluster.reduce((time, query) => Math.max(time, timeOf(query)), -Infinity);
  const dated = clusters.map((cluster) => ({ cluster, time: newest(cluster) }));
  dated.sort((left, right) => right.time - left.time);
  const total = clusters.flat().filter((query) => !trainOnly(query)).length;
  const room = { test: roomFor(share.test, total), dev: roomFor(share.dev, total) };
  const sides: SidesOf<number> = { train: [], dev: [], test: [] };
  for (const { cluster } of dated) {
    const side = cluster.some(trainOnly)
      ? "train"
      : ((["test", "dev"] as const).find((name) => sides[name].length < room[name]) ?? "train");
    for (const query of cluster) sides[side].push(query);
  }
  return [assignment("", sides)];
}

/** Every query is tested in exactly one fold; dev is drawn from the rest of each fold. */
export function assignFolds(input: AssignInput, folds: number): Assignment[] {
  const { clusters, share, shuffle, trainOnly } = input;
  const foldOf = evenFolds(clusters, folds, shuffle("folds"), trainOnly);
  return Array.from({ length: folds }, (_, fold) => {
    const rest = clusters.filter((_, at) => foldOf[at] !== fold);
    const sides = divide(rest, { dev: share.dev, test: 0 }, shuffle(`fold-${fold + 1}`), trainOnly);
    sides.test = clusters.filter((_, at) => foldOf[at] === fold).flat();
    return assignment(`fold-${fold + 1}`, sides);
  });
}

/** No fold: the cluster is never tested. */
const NEVER = -1;

/** Large clusters first, each to the fold that has the fewest queries; equal sizes in shuffled order. */
function evenFolds(
  clusters: AssignInput["clusters"],
  folds: number,
  shuffle: Shuffle,
  trainOnly: AssignInput["trainOnly"],
): number[] {
  const foldOf = clusters.map(() => NEVER);
  const sizes = Array.from({ length: folds }, () => 0);
  const order = shuffle(clusters.map((cluster, at) => ({ cluster, at })));
  order.sort((left, right) => right.cluster.length - left.cluster.length);
  for (const { cluster, at } of order) {
    if (cluster.some(trainOnly)) continue;
    const fold = sizes.indexOf(Math.min(...sizes));
    foldOf[at] = fold;
    sizes[fold] = (sizes[fold] as number) + cluster.length;
  }
  return foldOf;
}

function assignment(folder: string, sides: SidesOf<number>): Assignment {
  const size = SPLITS.reduce((sum, side) => sum + sides[side].length, 0);
  const places = new Uint8Array(size);
  SPLITS.forEach((side, place) => {
    for (const query of sides[side]) places[query] = place;
  });
  return { folder, sideOf: (query) => SPLITS[places[query] as number] as Split };
}
