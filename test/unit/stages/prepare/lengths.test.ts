import { expect, test } from "vitest";
import type { Group } from "../../../../src/dataset/groups.js";
import { drawsFor } from "../../../../src/ranking/draws.js";
import { describeLengths, measureLengths } from "../../../../src/stages/prepare/lengths.js";

/** One group whose passages are as many characters long as given. */
function groupOf(lengths: number[]): Group {
  return {
    query_id: "q",
    query: "",
    passages: lengths.map((length, index) => ({
      id: `${index}`,
      text: "x".repeat(length),
      label: 0,
      source: "judged",
    })),
  };
}
const measure = (groups: Group[], maxLength = 96) =>
  measureLengths(groups, (query, passage) => query.length + passage.length, maxLength, drawsFor(1, "lengths"));

test("lengths give percentiles, doubling bins and the share cut", () => {
  const report = measure([groupOf([10, 16, 17, 90, 96, 97, 128, 129, 20, 30])]);
  expect(report).toMatchObject({ pairs: 10, truncated: 0.3, percentiles: { p50: 30, p90: 128, max: 129 } });
  expect(report?.histogram).toEqual([
    { from: 0, to: 16, pairs: 2 },
    { from: 17, to: 32, pairs: 3 },
    { from: 33, to: 64, pairs: 0 },
    { from: 65, to: 128, pairs: 4 },
    { from: 129, to: 256, pairs: 1 },
  ]);
});

test("lengths are told in one line without any text", () => {
  const report = measure([groupOf([10, 200])]);
  expect(report && describeLengths(report)).toMatchInlineSnapshot(
    `"tokens a pair (2 sampled): median 10, p95 200, max 200 [≤16 50%  ≤32 0%  ≤64 0%  ≤128 0%  ≤256 50%]; 50.0% cut at 96"`,
  );
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
