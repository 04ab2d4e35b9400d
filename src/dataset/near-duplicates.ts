// Finds texts that say nearly the same, so that a split can keep them on one side. Compares word sets; no model.
import { normalisedKey, terms } from "./text.js";

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
  const byKey = new Map<string, number>();
  texts.forEach((text, index) => {
    const key = normalisedKey(text);
    const first = byKey.get(key);
    if (first === undefined) byKey.set(key, index);
    else clusters.join(first, index);
  });
  joinSimilarSets([...byKey.values()], texts, clusters);
}

/**
 * All pairs above the similarity by prefix filtering (Bayardo, Ma and Srikant, WWW 2007): with words sorted from rare to
 * frequent, two sets that alike must share one of their first |set| - ceil(0.8 * |set|) + 1 words.
 */
function joinSimilarSets(indices: readonly number[], texts: readonly string[], clusters: Clusters): void {
  const sets = rareFirst(indices.map((index) => [...new Set(terms(texts[index] ?? ""))]));
  const seen = new Map<string, number[]>();
  sets.forEach((set, at) => {
    const words = new Set(set);
    const prefix = set.slice(0, set.length - Math.ceil(NEAR_DUPLICATE_SIMILARITY * set.length) + 1);
    const compared = new Set<number>();
    for (const word of prefix) {
      const others = seen.get(word) ?? [];
      for (const other of others) {
        if (compared.has(other)) continue;
        compared.add(other);
        if (jaccard(words, sets[other] ?? []) >= NEAR_DUPLICATE_SIMILARITY)
          clusters.join(indices[at] as number, indices[other] as number);
      }
      others.push(at);
      seen.set(word, others);
    }
  });
}

function rareFirst(sets: string[][]): string[][] {
  const frequency = new Map<string, number>();
  for (const set of sets) for (const word of set) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  const order = (left: string, right: string): number =>
    (frequency.get(left) ?? 0) - (frequency.get(right) ?? 0) || (left < right ? -1 : 1);
  return sets.map((set) => set.sort(order));
}

function jaccard(left: ReadonlySet<string>, right: readonly string[]): number {
  const common = right.filter((word) => left.has(word)).length;
  return common / (left.size + right.length - common);
}
