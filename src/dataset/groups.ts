// The canonical form of labelled data: one query with all its passages. Read and written as JSONL; nothing here judges it.
import { createReadStream, createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { linesOf } from "./lines.js";

/** Where a passage of a group came from. */
export type PassageSource = "judged" | "run" | "bm25" | "embedding" | "random";

export interface Passage {
  id: string;
  text: string;
  /** Graded relevance; 0 is not relevant, unjudged passages count as 0 (trec_eval). */
  label: number;
  source: PassageSource;
  /** 1-based place in the first stage's order; absent when the first stage did not return it. */
  rank?: number;
  /** Score of a larger model, when the data carries one. */
  teacher_score?: number;
}

/** A relevant passage that the first stage missed: it cannot be scored, but it stays in the ideal of NDCG and in recall. */
export interface MissedPassage {
  id: string;
  label: number;
}

export interface Group {
  query_id: string;
  query: string;
  /** Training: everything that may be sampled. Dev and test: the candidates in first-stage order. */
  passages: Passage[];
  missed?: MissedPassage[];
  lang?: string;
  /** Where the data says the query comes from. */
  source?: string;
  /**
   * Dev and test: number of the near-duplicates or queries of one group key that it stands among, from 1 in order of the file.
   * Absent when none of the others stands in the file.
   */
  cluster?: number;
}

/** Number of each group's cluster, for ranking/clusters; one that stands alone gets a number of its own, below 0. */
export const clustersOfGroups = (groups: readonly Pick<Group, "cluster">[]): number[] =>
  groups.map(({ cluster }, index) => cluster ?? -1 - index);

/** The three files of the prepare artifact. */
export const SPLITS = ["train", "dev", "test"] as const;
export type Split = (typeof SPLITS)[number];
export const groupsFile = (split: Split): string => `groups.${split}.jsonl`;
/** Folder beside them with one groups file a guard set, `<name>.jsonl`: other data that the tuned model must not get worse on. */
export const GUARDS_FOLDER = "guards";

/** Reads groups one by one, so that a large file never sits in memory as text and objects at once. */
export async function* readGroups(path: string): AsyncGenerator<Group> {
  for await (const line of linesOf(createReadStream(path))) if (line.trim() !== "") yield JSON.parse(line) as Group;
}

export async function readAllGroups(path: string): Promise<Group[]> {
  const groups: Group[] = [];
  for await (const group of readGroups(path)) groups.push(group);
  return groups;
}

export async function writeGroups(path: string, groups: Iterable<Group>): Promise<void> {
  const stream = createWriteStream(path, "utf8");
  const done = finished(stream);
  // A full disk ends the stream without ever draining it, so the wait is for whichever comes first.
  for (const group of groups)
    if (!stream.write(`${JSON.stringify(group)}\n`))
      await Promise.race([new Promise<void>((resolve) => stream.once("drain", resolve)), done]);
  stream.end();
  await done;
}
