// Which queries must stand on one side of a split, and which side they get. Pure; prepare and `data split` both use it.
import type { Split } from "./groups.js";
import { Integers } from "./integers.js";
import { Clusters, NEAR_DUPLICATE_SIMILARITY } from "./near-duplicates.js";
import { WordSets } from "./word-sets.js";

/** Below this many queries one test split is too small to show a gain; folds test every query once (training.md §3, §6). */
export const FOLDS_BELOW = 300;

/** With fewer dev queries than this the choice between base and tuned weights is mostly chance (docs/decisions/0009). */
export const DEV_QUERIES = 40;

/** The most that `auto` takes for dev. */
export const LARGEST_AUTO_SHARE = 0.2;

/** Share of queries, 0-1. `auto`: a tenth, but `DEV_QUERIES` where that is more and at most a fifth. */
export type DevShare = number | "auto";

export interface Shares {
  dev: DevShare;
  test: number;
}

export type SidesOf<Item> = Record<Split, Item[]>;

/** Gives a shuffled copy. */
export type Shuffle = <Item>(items: readonly Item[]) => Item[];

/** Collects queries one by one and joins those that must stay together: near-duplicates, and those that share a group key. Holds no text. */
export class QueryClusters {
  private readonly sets = new WordSets();
  private readonly firstOfGroup = new Map<string, number>();
  /** Pairs of queries with a common key, one after another. */
  private readonly shared = new Integers();

  /** @returns the 0-based number of the query. */
  add(text: string, groups: readonly string[]): number {
    const query = this.sets.add(text);
    for (const group of groups) this.share(query, group);
    return query;
  }

  /** Gives an added query one more group key. */
  share(query: number, group: string): void {
    const first = this.firstOfGroup.get(group);
    if (first === undefined) this.firstOfGroup.set(group, query);
    else {
      this.shared.push(first);
      this.shared.push(query);
    }
  }

  /** Near-duplicates alone. */
  nearDuplicates(): Clusters {
    const clusters = new Clusters(this.sets.size);
    this.sets.eachSimilar(NEAR_DUPLICATE_SIMILARITY, (earlier, later) => clusters.join(earlier, later));
    return clusters;
  }

  /** Near-duplicates and queries with a common group key. */
  together(): Clusters {
    const clusters = this.nearDuplicates();
    for (let at = 0; at < this.shared.length; at += 2) clusters.join(this.shared.at(at), this.shared.at(at + 1));
    return clusters;
  }
}

/**
 * Fills test, then dev, with whole clusters in shuffled order up to their shares; the rest is train. A cluster too large
 * for the room left goes on to the next side, so the largest ones end in train.
 * @param share 0-1 of the items that may be measured on; 0 leaves the side empty, anything else asks for one item at least.
 * @param trainOnly items that must not be measured on, such as made-up queries: their whole cluster goes to train.
 */
export function divide<Item>(
  clusters: readonly (readonly Item[])[],
  share: Shares,
  shuffle: Shuffle,
  trainOnly: (item: Item) => boolean = () => false,
): SidesOf<Item> {
  const sides: SidesOf<Item> = { train: [], dev: [], test: [] };
  const total = clusters.flat().filter((item) => !trainOnly(item)).length;
  const room = { test: roomFor(share.test, total), dev: roomFor(share.dev, total) };
  for (const cluster of shuffle(clusters)) {
    const fits = (side: "test" | "dev"): boolean => sides[side].length + cluster.length <= room[side];
    const measured = !cluster.some(trainOnly);
    const side = measured && fits("test") ? "test" : measured && fits("dev") ? "dev" : "train";
    for (const item of cluster) sides[side].push(item);
  }
  return sides;
}

/** Queries of a side among `total` that may be measured on. */
export function roomFor(share: DevShare, total: number): number {
  if (share === "auto")
    return Math.max(1, Math.round(Math.min(LARGEST_AUTO_SHARE * total, Math.max(total / 10, DEV_QUERIES))));
  return share === 0 ? 0 : Math.max(1, Math.round(share * total));
}
