// A small BEIR folder for tests of evaluation: six passages, three judged queries, and the run of a first stage.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

export const PASSAGES: Record<string, string> = {
  d1: "the court dismissed the appeal",
  d2: "a patient with fever should rest",
  d3: "reset the router with the small button",
  d4: "the deadline for the appeal",
  d5: "water and smoke",
  d6: "a parking permit in the old town",
};
const QUERIES: Record<string, string> = {
  q1: "appeal deadline",
  q2: "fever patient",
  q3: "router button",
  other: "not judged",
};

/** q1 has a relevant passage (d6) that the run misses; q2 has no relevant candidate; q3 is perfect. */
export const QRELS = [
  "query-id\tcorpus-id\tscore",
  "q1\td4\t2",
  "q1\td6\t1",
  "q1\td1\t0",
  "q2\td2\t1",
  "q3\td3\t1",
  "",
].join("\n");

export const RUN = [
  "q1 Q0 d1 1 3 first",
  "q1 Q0 d4 2 2 first",
  "q1 Q0 d5 3 1 first",
  "q2 Q0 d5 1 2 first",
  "q2 Q0 d6 2 1 first",
  "q3 Q0 d3 1 1 first",
  "other Q0 nowhere 1 1 first",
  "",
].join("\n");

const jsonl = (rows: unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** Writes it; `files` add to it, replace, or remove when undefined. Names that end in .gz are packed. */
export async function writeBeir(folder: string, files: Record<string, string | undefined> = {}): Promise<string> {
  const all: Record<string, string | undefined> = {
    "corpus.jsonl": jsonl(Object.entries(PASSAGES).map(([_id, text]) => ({ _id, title: "", text }))),
    "queries.jsonl": jsonl(Object.entries(QUERIES).map(([_id, text]) => ({ _id, text }))),
    "qrels/dev.tsv": QRELS,
    ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    if (text === undefined) continue;
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), name.endsWith(".gz") ? gzipSync(text) : text);
  }
  return folder;
}
