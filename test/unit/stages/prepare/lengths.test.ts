import { expect, test } from "vitest";
import type { Group } from "../../../../src/dataset/groups.js";
import { drawsFor } from "../../../../src/ranking/draws.js";
import { describeLengths, measureLengths } from "../../../../src/stages/prepare/lengths.js";

/** One group whose passages are as many characters long as given. */
function groupOf(lengths: number[], query = "", lang?: string): Group {
  return {
    query_id: "q",
    query,
    ...(lang === undefined ? {} : { lang }),
    passages: lengths.map((length, index) => ({
      id: `${index}`,
      text: "x".repeat(length),
      label: 0,
      source: "judged",
    })),
  };
}
const measure = (groups: Group[], maxLength = 96) =>
  measureLengths(groups, { count: (text) => text.length, special: 4 }, maxLength, drawsFor(1, "lengths"));

test("lengths give percentiles, doubling bins and the share cut", () => {
  const report = measure([groupOf([6, 12, 13, 86, 92, 93, 124, 125, 16, 26])]);
  expect(report).toMatchObject({ pairs: 10, cut: { either: 0.3 }, percentiles: { p50: 30, p90: 128, max: 129 } });
  expect(report?.histogram).toEqual([
    { from: 0, to: 16, pairs: 2 },
    { from: 17, to: 32, pairs: 3 },
    { from: 33, to: 64, pairs: 0 },
    { from: 65, to: 128, pairs: 4 },
    { from: 129, to: 256, pairs: 1 },
  ]);
});

test("lengths are told in one line without any text", () => {
  const report = measure([groupOf([6, 196])]);
  expect(report && describeLengths(report)).toMatchInlineSnapshot(
    `"tokens a pair (2 sampled): median 10, p95 200, max 200 [≤16 50 %  ≤32 0 %  ≤64 0 %  ≤128 0 %  ≤256 50 %]; 50.0 % of pairs cut at 96; on the passage's side 50.0 %, on the query's 0.0 %"`,
  );
});

test("what is cut is told by side and by language, that with most pairs first", () => {
  // Room for 92 tokens. A side is cut when it is longer than its half and than what the other one leaves.
  const report = measure([
    groupOf([200, 200, 10], "x".repeat(80), "de"),
    groupOf([20, 93, 92, 10, 10, 10], "", "en"),
    groupOf([10], "x".repeat(83), "fr"),
  ]);
  expect(report?.cut).toEqual({
    pairs: 10,
    either: 0.4,
    query: 0.3,
    passage: 0.3,
    languages: {
      en: { pairs: 6, either: 1 / 6, query: 0, passage: 1 / 6 },
      de: { pairs: 3, either: 2 / 3, query: 2 / 3, passage: 2 / 3 },
      fr: { pairs: 1, either: 1, query: 1, passage: 0 },
    },
  });
  expect(report && describeLengths(report)).toContain(
    "; 40.0 % of pairs cut at 96; on the passage's side 30.0 %, on the query's 30.0 %; en 16.7 %, de 66.7 %, fr 100.0 %",
  );
});

test("the language of a query without one is guessed from its words", () => {
  const report = measure([groupOf([10], "what is the name of the king and of the queen")]);
  expect(Object.keys(report?.cut.languages ?? {})).toEqual(["en"]);
});

test("where nothing is cut no sides are told", () => {
  const report = measure([groupOf([10], "short", "de"), groupOf([10], "short", "en")]);
  expect(report && describeLengths(report)).toMatch(/; 0\.0 % of pairs cut at 96$/);
});

test("lengths are taken from at most 2,000 pairs", () => {
  expect(measure([groupOf(Array(5000).fill(3))])?.pairs).toBe(2000);
});

test("lengths of very long texts stop at a bounded number of characters", () => {
  expect(measure([groupOf(Array(50).fill(1_000_000))])?.pairs).toBe(4);
});

test("no groups have no lengths", () => {
  expect(measure([])).toBeUndefined();
});
