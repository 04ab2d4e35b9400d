import { describe, expect, test } from "vitest";
import { judgedAt } from "../../../src/ranking/judged.js";
import { ndcgAt } from "../../../src/ranking/ndcg.js";
import type { RankedQuery } from "../../../src/ranking/order.js";
import { tieAveragedNdcgAt, tiedCandidates } from "../../../src/ranking/ties.js";

const SECOND = 1 / Math.log2(3);

describe("tie-averaged NDCG", () => {
  test("is NDCG where no scores tie", () => {
    const query = { scores: [0.1, 0.4, 0.3], labels: [2, 0, 1], ids: ["a", "b", "c"] };
    expect(tieAveragedNdcgAt(query, 10)).toBe(ndcgAt(query, 10));
  });

  test("of a relevant and another passage that tie is the mean of the first two discounts", () => {
    const query = { scores: [5, 5], labels: [1, 0], ids: ["a", "b"] };
    expect(ndcgAt(query, 10)).toBeCloseTo(SECOND, 12); // b > a, so trec_eval puts it first
    expect(tieAveragedNdcgAt(query, 10)).toBeCloseTo((1 + SECOND) / 2, 12);
  });

  test("spreads a gain over a tie that the cutoff divides", () => {
    const query = { scores: [1, 1, 1, 1], labels: [0, 1, 0, 0], ids: ["a", "b", "c", "d"] };
    expect(tieAveragedNdcgAt(query, 2)).toBeCloseTo((1 + SECOND) / 4, 12);
  });

  test("keeps missed passages in the ideal", () => {
    const query = { scores: [1, 1], labels: [1, 0], ids: ["a", "b"], missed: [{ label: 1 }] };
    expect(tieAveragedNdcgAt(query, 10)).toBeCloseTo((1 + SECOND) / 2 / (1 + SECOND), 12);
  });

  test("gives a label below 0 no gain", () => {
    const query = { scores: [1, 1], labels: [-3, 1], ids: ["a", "b"] };
    expect(tieAveragedNdcgAt(query, 10)).toBeCloseTo((1 + SECOND) / 2, 12);
  });

  test("takes scores that are not numbers as one tie at the end", () => {
    const query = { scores: [Number.NaN, 3, Number.NaN], labels: [1, 0, 0], ids: ["a", "b", "c"] };
    expect(tieAveragedNdcgAt(query, 10)).toBeCloseTo((SECOND + 0.5) / 2, 12);
  });

  test("is 0 without a relevant passage and without candidates", () => {
    expect(tieAveragedNdcgAt({ scores: [1, 1], labels: [0, 0], ids: ["a", "b"] }, 10)).toBe(0);
    expect(tieAveragedNdcgAt({ scores: [], labels: [], ids: [], missed: [{ label: 1 }] }, 10)).toBe(0);
  });

  test.each([1, 2, 3, 4, 10])("at %i is the mean of NDCG over every order of graded ties", (cutoff) => {
    const query: RankedQuery = {
      scores: [7, 7, 4, 4, 4, 1],
      labels: [0, 2, 3, 0, 1, 1],
      ids: ["a", "b", "c", "d", "e", "f"],
      missed: [{ label: 2 }],
    };
    const values = ordersWithinTies(query).map((scores) => ndcgAt({ ...query, scores }, cutoff));
    expect(values).toHaveLength(2 * 6);
    const average = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(tieAveragedNdcgAt(query, cutoff)).toBeCloseTo(average, 12);
  });
});

describe("tied candidates", () => {
  test.each([
    [[], 0],
    [[3], 0],
    [[3, 2, 1], 0],
    [[3, 1, 3], 2],
    [[2, 2, 1, 1, 1], 5],
    [[0, -0, 1], 2],
    [[1, 1 + 1e-12, 2], 2], // one float32
    [[Number.NaN, 1, Number.NaN], 2],
  ])("of %j are %i", (scores, tied) => {
    expect(tiedCandidates(scores)).toBe(tied);
  });
});

describe("judged at a cutoff", () => {
  const query = { scores: [1, 3, 2], labels: [0, 0, 1], ids: ["a", "b", "c"] };

  test("counts judged passages in ranked order, relevant or not", () => {
    expect(judgedAt(query, [true, false, true], 1)).toBe(0);
    expect(judgedAt(query, [true, false, true], 2)).toBe(1 / 2);
  });

  test("divides by the length of a shorter list", () => {
    expect(judgedAt(query, [true, false, true], 10)).toBeCloseTo(2 / 3, 12);
  });
});

/** Scores without ties for every order that keeps the tied groups apart. */
function ordersWithinTies({ scores, ids }: RankedQuery): number[][] {
  const levels = [...new Set(Array.from(scores))].sort((left, right) => right - left);
  const orders = levels
    .map((level) => ids.flatMap((_, position) => (scores[position] === level ? [position] : [])))
    .reduce<number[][]>(
      (before, group) => before.flatMap((start) => permutations(group).map((rest) => [...start, ...rest])),
      [[]],
    );
  return orders.map((order) => ids.map((_, position) => -order.indexOf(position)));
}

function permutations(items: number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}
