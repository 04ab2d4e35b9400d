// What prepare noticed, as notes for people and as one record. Counts and line numbers; never a text of the user's.
import { basename } from "node:path";
import type { ProblemList } from "../../dataset/findings.js";
import type { LabelledData } from "../../dataset/labelled.js";
import type { Problem } from "../../errors.js";
import { inClusters } from "../../ranking/clusters.js";
import { detectableWith } from "../../ranking/significance.js";
import type { SplitResult } from "./split.js";

interface Kind {
  name: string;
  list: ProblemList;
  /** What was found and done, after the count. */
  says: string;
}

/** All kinds of findings that do not stop the stage. */
export function findingKinds({ findings, adjusted }: LabelledData, { leaked, similar }: SplitResult): Kind[] {
  return [
    { name: "conflicts", list: findings.conflicts, says: "pairs have two different labels; the higher one is kept" },
    { name: "duplicates", list: findings.duplicates, says: "pairs are exact duplicates; they are dropped" },
    { name: "empty", list: findings.empty, says: "texts are empty; their rows are left out" },
    { name: "encoding", list: findings.encoding, says: "rows hold bytes that are not UTF-8; save the file as UTF-8" },
    { name: "adjusted", list: adjusted, says: "values are read otherwise than they stand there" },
    { name: "unknown", list: findings.unknown, says: "rows of the run name queries that the data does not have" },
    {
      name: "leaked",
      list: leaked,
      says: "queries stand on two sides of the data's own split; they are kept on the later one (test, then dev)",
    },
    {
      name: "similar",
      list: similar,
      says: "dev or test queries are close to a training query in the data's own split; scores may flatter",
    },
  ];
}

/** One warning a kind that occurred, with its first lines. */
export function warnings(kinds: readonly Kind[]): string[] {
  return kinds
    .filter(({ list }) => list.total > 0)
    .map(({ list, says }) => `${list.total} ${says} (${firstPlaces(list.listed, list.total)})`);
}

const SHOWN = 5;

function firstPlaces(problems: readonly Problem[], total: number): string {
  const places = problems
    .slice(0, SHOWN)
    .map(({ file, line }) => `${file === undefined ? "" : basename(file)}:${line}`);
  return `${places.join(", ")}${total > SHOWN ? ", ..." : ""}`;
}

/** The findings of the record: totals and places by kind. File names without folders, so that equal data give equal records. */
export function findingsRecord(
  kinds: readonly Kind[],
): Record<string, { total: number; listed: { file: string; line?: number; message: string }[] }> {
  return Object.fromEntries(
    kinds.map(({ name, list }) => [
      name,
      {
        total: list.total,
        listed: list.listed.map(({ file, line, message }) => ({
          file: basename(file ?? ""),
          message,
          ...(line === undefined ? {} : { line }),
        })),
      },
    ]),
  );
}

/** Standard deviations of a query's gain in NDCG@10 that occur: where a reranker changes much, and little (training.md §6). */
const DEVIATIONS = [0.25, 0.15] as const;
const QUERIES = [50, 100, 200, 300, 500, 1000] as const;

/**
 * What a test split of this many queries can show, before anything is trained on it. In points of NDCG@10.
 * @param clusters sets of queries that are taken as one, where there are such: no more is promised than can be kept.
 */
export function powerNote(queries: number, clusters?: number): string {
  const [much, little] = detectablePoints(clusters ?? queries);
  const table = QUERIES.map((count) => `${count}: ${detectablePoints(count).join(" or ")}`).join(", ");
  return `${queries} test queries${inClusters({ clusters })} show a gain of NDCG@10 from about ${much} points up, four times in five (${little} where queries gain alike: standard deviation ${DEVIATIONS.join(" or ")} a query); by number of queries: ${table}`;
}

/** Points of NDCG@10 that so many queries show four times in five, for the larger and the smaller of DEVIATIONS. */
export function detectablePoints(queries: number): [string, string] {
  return DEVIATIONS.map((deviation) => (100 * detectableWith(queries, deviation)).toFixed(1)) as [string, string];
}
