// Decides which side each query of a recipe stands on: train, dev or test. The rule for dividing is dataset/query-split.
import { dataInvalid, ProblemList } from "../../dataset/findings.js";
import { isMadeUp, type LabelledQuery } from "../../dataset/labelled.js";
import { divide, QueryClusters, type SidesOf } from "../../dataset/query-split.js";
import { normalisedKey } from "../../dataset/text.js";
import { shufflesFor } from "../../ranking/draws.js";
import type { PrepareOptions } from "./schema.js";

export type Sides = SidesOf<LabelledQuery>;

export interface SplitResult {
  sides: Sides;
  /** Queries that stood on two sides of the data's own split; they were taken out of the side that is used first. */
  leaked: ProblemList;
  /** Queries of dev or test with a near-duplicate in train, in the data's own split; kept, and reported. */
  similar: ProblemList;
}

export interface ClusteredSplit extends SplitResult {
  /** Queries that are near-duplicates or share a group key, all sides together: the data's own split may part them. */
  clusters: LabelledQuery[][];
}

/**
 * Splits queries, each side in an order shuffled by the seed.
 * @throws RerankTuneError DATA_INVALID when a side would be empty.
 */
export function splitQueries(
  queries: readonly LabelledQuery[],
  options: Pick<PrepareOptions, "seed" | "split">,
): ClusteredSplit {
  const { sides, ...found } = assignSides(queries, options);
  const shuffle = shufflesFor(options.seed);
  for (const side of ["train", "dev", "test"] as const) {
    sides[side] = shuffle(`order:${side}`)(sides[side]);
    if (sides[side].length === 0)
      throw dataInvalid(
        `No query is left for ${side}: ${queries.length} usable queries, and near-duplicates stay together.`,
        "give at least 20 different queries that have a passage labelled above 0",
      );
  }
  return { sides, ...found };
}

function assignSides(
  queries: readonly LabelledQuery[],
  { seed, split }: Pick<PrepareOptions, "seed" | "split">,
): ClusteredSplit {
  const shuffle = shufflesFor(seed);
  const own: Sides = { train: [], dev: [], test: [] };
  for (const query of queries) {
    const side = trainOnly(query) ? "train" : query.split;
    if (side !== undefined) own[side].push(query);
  }
  // A single qrels file is no split at all, and one without training queries cannot be used as it stands.
  const given = new Set(queries.filter((query) => !trainOnly(query)).map((query) => query.split));
  if (own.train.length === 0 || (given.size < 2 && (given.has("train") || given.has(undefined)))) {
    const clusters = clustersOf(queries);
    const sides = divide(clusters, split, shuffle("split"), trainOnly);
    return { sides, leaked: new ProblemList(), similar: new ProblemList(), clusters };
  }
  const leaked = findLeaks(own);
  const clusters = clustersOf([...own.test, ...own.dev, ...own.train]);
  const similar = findSimilar(clusters);
  if (own.test.length === 0) {
    const halves = divide(clustersOf(own.dev), { dev: 0, test: 0.5 }, shuffle("split:dev"));
    [own.dev, own.test] = [halves.train, halves.test];
  } else if (own.dev.length === 0) {
    const parts = divide(clustersOf(own.train), { dev: split.dev, test: 0 }, shuffle("split:train"), trainOnly);
    [own.train, own.dev] = [parts.train, parts.dev];
  }
  return { sides: own, leaked, similar, clusters };
}

const trainOnly = (query: LabelledQuery): boolean => isMadeUp(query, query.judgements.values());

/** Queries that must stay together: near-duplicates, and queries that share a group key. */
export function clustersOf(queries: readonly LabelledQuery[]): LabelledQuery[][] {
  const clusters = new QueryClusters();
  for (const { text, groups } of queries) clusters.add(text, groups);
  const members = clusters.together().members();
  return members.map((indices) => indices.map((index) => queries[index] as LabelledQuery));
}

/** Takes a query out of train when the same words stand in dev or test, and out of dev when they stand in test. */
function findLeaks(own: Sides): ProblemList {
  const leaked = new ProblemList();
  const taken = new Map<string, LabelledQuery>();
  for (const side of ["test", "dev", "train"] as const) {
    own[side] = own[side].filter((query) => {
      const other = taken.get(normalisedKey(query.text));
      if (other === undefined) return true;
      leaked.add({
        file: query.file,
        line: query.line,
        message: `the same query stands in ${other.split} (line ${other.line}); it is left out of ${side}`,
      });
      return false;
    });
    for (const query of own[side]) taken.set(normalisedKey(query.text), query);
  }
  return leaked;
}

/** @param clusters in order of test, dev and train. */
function findSimilar(clusters: readonly (readonly LabelledQuery[])[]): ProblemList {
  const similar = new ProblemList();
  for (const cluster of clusters) {
    const training = cluster.find((query) => query.split === "train");
    if (training === undefined) continue;
    for (const query of cluster)
      if (query.split !== "train")
        similar.add({
          file: query.file,
          line: query.line,
          message: `is close to the training query of line ${training.line}; it is kept in ${query.split}`,
        });
  }
  return similar;
}
