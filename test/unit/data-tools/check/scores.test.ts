import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";
import { checkRows, said, scoreFile } from "./checked.js";

/** `count` groups of one positive and two negatives. */
const groups = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    query_id: `q${index}`,
    query: `alpha${index} beta${index}`,
    passages: ["p", "n1", "n2"].map((name, at) => ({
      id: `${name}-${index}`,
      text: `${name}${index} gamma${index} delta${at}`,
      label: at === 0 ? 1 : 0,
    })),
  }));

type Scores = [positive: number, first: number, second: number];

/** Checks groups whose base scores are given group by group. */
async function checkScored(scores: readonly Scores[]) {
  const rows = scores.flatMap(([positive, first, second], index) => [
    [`q${index}`, `p-${index}`, positive] as const,
    [`q${index}`, `n1-${index}`, first] as const,
    [`q${index}`, `n2-${index}`, second] as const,
  ]);
  return await checkRows(groups(scores.length), { scores: await scoreFile(rows) });
}

const RIGHT: Scores = [3, -1, -2];
const BELOW: Scores = [-2, -1.5, -1];
/** One pair right, one wrong: neither below nor right. */
const HALF: Scores = [0, 1, -1];
const mixed = (...parts: [number, Scores][]) =>
  parts.flatMap(([count, scores]) => Array.from({ length: count }, () => scores));

describe("flipped_labels", () => {
  test("warns when positives are below negatives in more than 30 % of groups", async () => {
    const result = await checkScored(mixed([7, BELOW], [13, HALF]));
    expect(said(result, "flipped_labels")).toEqual([[null, "positives below negatives in 7 of 20 groups (35.0 %)"]]);
    expect(result.severities.error).toBe(0);
    expect(result.counts.ranked_against_labels).toBe(7);
  });

  test("is an error when most groups are worse than a coin", async () => {
    const result = await checkScored(mixed([11, BELOW], [9, HALF]));
    expect(result.severities.error).toBe(1);
  });

  test("is silent at 30 %, and for fewer groups than tell anything", async () => {
    expect((await checkScored(mixed([6, BELOW], [14, HALF]))).counts.flipped_labels).toBeUndefined();
    expect((await checkScored(mixed([19, BELOW]))).counts.flipped_labels).toBeUndefined();
  });
});

describe("ranked_against_labels", () => {
  test("names the group", async () => {
    const result = await checkScored([RIGHT, BELOW, HALF]);
    expect(said(result, "ranked_against_labels")).toEqual([[2, "0.0 % of its pairs are ranked as labelled"]]);
  });
});

describe("nothing_to_learn", () => {
  test("warns when more than 97 % of groups are ranked right", async () => {
    const result = await checkScored(mixed([98, RIGHT], [2, HALF]));
    expect(said(result, "nothing_to_learn")).toEqual([[null, "the base ranks 98 of 100 groups right (98.0 %)"]]);
  });

  test("is silent at 97 %", async () => {
    expect((await checkScored(mixed([97, RIGHT], [3, HALF]))).counts.nothing_to_learn).toBeUndefined();
  });
});

describe("low_probabilities", () => {
  /** sigmoid(-3) is .047 and sigmoid(-2) is .119. */
  const LOW: Scores = [-3, -4, -5];
  const NOT_LOW: Scores = [-2, -4, -5];

  test("notes that the best positives of more than half of the queries are below 0.1", async () => {
    const result = await checkScored(mixed([11, LOW], [9, NOT_LOW]));
    expect(said(result, "low_probabilities")).toEqual([[null, "best positive below 0.1 in 11 of 20 groups"]]);
    expect(result.severities).toMatchObject({ error: 0 });
    expect(result.findings.find(({ rule }) => rule === "low_probabilities")?.severity).toBe("note");
  });

  test("is silent at one half, and for few queries", async () => {
    expect((await checkScored(mixed([10, LOW], [10, NOT_LOW]))).counts.low_probabilities).toBeUndefined();
    expect((await checkScored(mixed([19, LOW]))).counts.low_probabilities).toBeUndefined();
  });
});

describe("likely_false_negative", () => {
  test("names a judged negative at 0.95 of the best positive's probability", async () => {
    // sigmoid(0) = 0.5, of which 0.95 are 0.475 = sigmoid(-0.10008).
    const result = await checkScored([
      [0, -0.1, -3],
      [0, -0.101, -3],
    ]);
    expect(said(result, "likely_false_negative")).toEqual([[1, "judged negative at 0.475, best positive 0.500"]]);
    expect(result.left_out).toBe(0);
  });

  test("measures against the best of several positives", async () => {
    const [group] = groups(1);
    const passages = group?.passages.map((passage, at) => ({ ...passage, label: at < 2 ? 1 : 0 }));
    const scores = await scoreFile([
      ["q0", "p-0", 2],
      ["q0", "n1-0", -3],
      ["q0", "n2-0", -2],
    ]);
    expect((await checkRows([{ ...group, passages }], { scores })).counts.likely_false_negative).toBeUndefined();
  });

  test("names an unjudged passage of the run that prepare would take for a negative", async () => {
    const run = join(await temporaryFolder(), "run.txt");
    await writeFile(run, "q0 Q0 p-0 1 9 bm25\nq0 Q0 x-7 2 8 bm25\nq0 Q0 x-8 3 7 bm25\nother Q0 x-7 1 9 bm25\n");
    const scores = await scoreFile([
      ["q0", "p-0", 1],
      ["q0", "x-7", 2],
      ["q0", "x-8", -2],
    ]);
    const result = await checkRows(groups(1), { run, scores });
    expect(said(result, "likely_false_negative")).toEqual([[2, "unjudged at 0.881, best positive 0.731"]]);
    expect(said(result, "unknown_run_query")).toEqual([[null, "1 rows name queries that the data does not have"]]);
    expect(result.findings.map(({ file }) => file)).toEqual([run, run]);
  });
});

describe("base scores", () => {
  test("that are missing leave the rules on scores silent and are counted", async () => {
    const result = await checkRows(groups(30), { scores: await scoreFile([["q0", "p-0", 1]]) });
    expect(result).toMatchObject({ counts: {}, scored_pairs: 1 });
    expect((await checkRows(groups(1))).scored_pairs).toBeNull();
  });

  test("that are no number count as missing, since Python writes nan", async () => {
    const result = await checkRows(groups(1), { scores: await scoreFile([["q0", "p-0", Number.NaN]]) });
    expect(result.scored_pairs).toBe(0);
  });

  test("are refused with the line that is malformed, or when there is no file", async () => {
    const file = join(await temporaryFolder(), "scores.tsv");
    await writeFile(file, "q0\tp-0\t1\nq0 p-1 2\n");
    await expect(checkRows(groups(1), { scores: file })).rejects.toMatchObject({
      code: "DATA_INVALID",
      problems: [{ line: 2 }],
    });
    await expect(checkRows(groups(1), { scores: `${file}.none` })).rejects.toMatchObject({ code: "DATA_NOT_FOUND" });
  });
});

describe("a run", () => {
  test("of known queries gives no finding by itself", async () => {
    const run = join(await temporaryFolder(), "run.txt");
    await writeFile(run, "q0 Q0 x-1 1 9 bm25\n");
    expect((await checkRows(groups(1), { run })).counts).toEqual({});
  });

  test("is refused with the line that is malformed", async () => {
    const run = join(await temporaryFolder(), "run.txt");
    await writeFile(run, "q0 Q0 p-0 1 9 bm25\nq0 p-0\n");
    await expect(checkRows(groups(1), { run })).rejects.toMatchObject({
      code: "DATA_INVALID",
      problems: [{ line: 2 }],
    });
  });
});
