import { describe, expect, test } from "vitest";
import { packBatch, planBatches } from "../../../src/inference/batches.js";
import { longestFirst } from "../../../src/inference/truncation.js";

const pair = (length: number) => ({
  ids: Array.from({ length }, (_, index) => index + 1),
  typeIds: new Array<number>(length).fill(1),
  truncated: false,
});
const LENGTHS = [5, 90, 17, 17, 64, 3, 33, 90, 12, 41];

describe("planned batches", () => {
  const pairs = LENGTHS.map(pair);
  const batches = planBatches(pairs, 100);

  test("hold every pair once", () => {
    expect(batches.flat().sort((left, right) => left - right)).toEqual(LENGTHS.map((_, index) => index));
  });

  test("stay within the budget with their padding, but for a pair that is longer alone", () => {
    for (const batch of planBatches([...pairs, pair(500)], 100)) {
      const width = Math.max(...batch.map((position) => LENGTHS[position] ?? 500));
      expect(batch.length === 1 || batch.length * width <= 100).toBe(true);
    }
  });

  test("start with the longest pairs", () => {
    const widths = batches.map((batch) => Math.max(...batch.map((position) => LENGTHS[position] as number)));
    expect(widths).toEqual([...widths].sort((left, right) => right - left));
  });

  test("of no pairs are none", () => {
    expect(planBatches([], 100)).toEqual([]);
  });
});

describe("a packed batch", () => {
  test("is as wide as its longest row, or wider when asked", () => {
    expect([
      packBatch([pair(2), pair(4)]).width,
      packBatch([pair(2), pair(4)], 3).width,
      packBatch([pair(2)], 9).width,
    ]).toEqual([4, 4, 9]);
  });

  test("holds the rows one after another", () => {
    expect(packBatch([pair(2), pair(3)])).toMatchObject({
      ids: Int32Array.of(1, 2, 1, 2, 3),
      lengths: Int32Array.of(2, 3),
    });
  });
});

describe("longest-first truncation", () => {
  test("leaves a pair that fits", () => {
    expect(longestFirst(4, 5, 12, 3)).toEqual({ query: 4, passage: 5 });
  });
  test("takes from the longer side only, while that is enough", () => {
    expect(longestFirst(4, 50, 20, 3)).toEqual({ query: 4, passage: 13 });
  });
  test("takes from a longer query as well", () => {
    expect(longestFirst(50, 4, 20, 4)).toEqual({ query: 12, passage: 4 });
  });
  test("gives an odd token to the passage on a tie", () => {
    expect(longestFirst(50, 50, 20, 3)).toEqual({ query: 8, passage: 9 });
  });
  test("gives an odd token to a longer query", () => {
    expect(longestFirst(51, 50, 20, 3)).toEqual({ query: 9, passage: 8 });
  });
});
