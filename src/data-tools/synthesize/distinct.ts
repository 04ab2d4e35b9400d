// Leaves out new queries that nearly repeat a known one or one another, by the same measure that keeps near-duplicates on one side of a split.
import { QueryClusters } from "../../dataset/query-split.js";

/** A query for a passage of the corpus. */
export interface MadeQuery {
  text: string;
  /** Number of the passage in the corpus. */
  passage: number;
}

export interface DistinctQueries {
  kept: MadeQuery[];
  /** Near-duplicates of known queries, and of new ones that were kept. */
  avoided: number;
  duplicates: number;
}

/**
 * Of each cluster of near-duplicates the first new query stays, and none where a known query is in it. Whole clusters, not
 * pairs: a split keeps a cluster together, so that the friend of a friend would stand beside the known query too.
 */
export function distinctQueries(known: Iterable<string>, made: readonly MadeQuery[]): DistinctQueries {
  const clusters = new QueryClusters();
  let knownCount = 0;
  for (const text of known) {
    clusters.add(text, []);
    knownCount += 1;
  }
  for (const { text } of made) clusters.add(text, []);
  const joined = clusters.nearDuplicates();
  const taken = new Set<number>();
  const result: DistinctQueries = { kept: [], avoided: 0, duplicates: 0 };
  for (const [at, query] of made.entries()) {
    // The smallest number of a cluster is a known query when there is any: they were added first.
    const cluster = joined.find(knownCount + at);
    if (cluster < knownCount) result.avoided += 1;
    else if (taken.has(cluster)) result.duplicates += 1;
    else {
      taken.add(cluster);
      result.kept.push(query);
    }
  }
  return result;
}
