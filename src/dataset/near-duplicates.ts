// Finds texts that say nearly the same, so that a split can keep them on one side. Compares word sets; no model.
import { WordSets } from "./word-sets.js";

/** Share of common words (Jaccard) from which two queries count as near-duplicates; Lee et al. 2022 (arXiv 2107.06499) use 0.8 for documents. */
export const NEAR_DUPLICATE_SIMILARITY = 0.8;

/** Sets of indices that belong together (union-find with path halving). */
export class Clusters {
  private readonly parents: number[];

  constructor(size: number) {
    this.parents = Array.from({ length: size }, (_, index) => index);
  }

  /** The smallest index of the cluster that holds `index`. */
  find(index: number): number {
    let at = index;
    while (this.parents[at] !== at) {
      this.parents[at] = this.parents[this.parents[at] as number] as number;
      at = this.parents[at] as number;
    }
    return at;
  }

  join(left: number, right: number): void {
    const [a, b] = [this.find(left), this.find(right)];
    if (a !== b) this.parents[Math.max(a, b)] = Math.min(a, b);
  }

  /** All clusters with their members, in order of their smallest member. */
  members(): number[][] {
    const byRoot = new Map<number, number[]>();
    for (let index = 0; index < this.parents.length; index++) {
      const root = this.find(index);
      const list = byRoot.get(root);
      if (list === undefined) byRoot.set(root, [index]);
      else list.push(index);
    }
    return [...byRoot.values()];
  }
}

/** Joins the near-duplicates among `texts` in `clusters`: equal normalised texts, or word sets at least 0.8 alike. */
export function joinNearDuplicates(texts: readonly string[], clusters: Clusters): void {
  const sets = new WordSets();
  for (const text of texts) sets.add(text);
  sets.eachSimilar(NEAR_DUPLICATE_SIMILARITY, (earlier, later) => clusters.join(earlier, later));
}
