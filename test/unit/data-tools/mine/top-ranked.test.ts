import { describe, expect, test } from "vitest";
import { TopRanked } from "../../../../src/data-tools/mine/top-ranked.js";
import { seededIntegers } from "../../../../src/ranking/random.js";

function sorted(scores: readonly number[], depth: number): number[] {
  return scores
    .map((_, passage) => passage)
    .sort((left, right) => (scores[right] as number) - (scores[left] as number) || left - right)
    .slice(0, depth);
}

describe("the best of a stream", () => {
  test("are those of a full sort, ties in the order of the stream", () => {
    const draw = seededIntegers(3);
    for (const depth of [1, 2, 3, 7, 40, 200]) {
      const scores = Array.from({ length: 120 }, () => draw(15));
      const top = new TopRanked(1, depth);
      for (const [passage, score] of scores.entries()) top.offer(0, passage, score);
      expect(top.ranked(0).passages).toEqual(sorted(scores, depth));
      expect(top.ranked(0).scores).toEqual(sorted(scores, depth).map((passage) => scores[passage]));
    }
  });

  test("are kept apart by query", () => {
    const top = new TopRanked(2, 2);
    top.offer(0, 4, 1);
    top.offer(1, 5, 9);
    top.offer(1, 6, 10);
    top.offer(1, 7, 8);
    expect(top.ranked(0)).toEqual({ passages: [4], scores: [1] });
    expect(top.ranked(1)).toEqual({ passages: [6, 5], scores: [10, 9] });
  });

  test("never hold a score that is not a number once they are full", () => {
    const top = new TopRanked(1, 1);
    top.offer(0, 0, 1);
    top.offer(0, 1, Number.NaN);
    expect(top.ranked(0).passages).toEqual([0]);
  });
});
