import { describe, expect, test } from "vitest";
import { standingAlone } from "../../../src/ranking/clusters.js";
import { shareKept } from "../../../src/ranking/share.js";

const alone = standingAlone(4);

describe("the share of a system's quality that another one keeps", () => {
  test("is the ratio of the means, and certain where every query keeps the same share", () => {
    const found = shareKept([0.5, 0.25, 0.4, 0.1], [1, 0.5, 0.8, 0.2], alone);
    expect(found?.share).toBeCloseTo(0.5, 12);
    expect(found?.interval[0]).toBeCloseTo(0.5, 12);
    expect(found?.interval[1]).toBeCloseTo(0.5, 12);
  });

  test("lies inside an interval that reaches from the worst to the best query of two", () => {
    // Two queries that keep 50 % and 100 % of 1: a resample has one of them twice, or both.
    const found = shareKept([0.5, 1], [1, 1], standingAlone(2));
    expect(found).toEqual({ share: 0.75, interval: [0.5, 1] });
  });

  test("can be above one", () => {
    expect(shareKept([1, 1, 1, 1], [0.5, 0.5, 0.5, 0.5], alone)?.share).toBe(2);
  });

  test("takes the queries of a cluster together: one cluster has no spread", () => {
    expect(shareKept([0.5, 1], [1, 1], [3, 3])).toEqual({ share: 0.75, interval: [0.75, 0.75] });
  });

  test("is none where there is nothing to keep", () => {
    expect(shareKept([0, 0.5, 0, 0], [0, 0, 0, 0], alone)).toBeUndefined();
  });

  test("repeats itself to the last digit", () => {
    const values: [number[], number[]] = [
      [0.3, 0.9, 0.1, 0.7],
      [0.4, 0.8, 0.6, 1],
    ];
    expect(shareKept(...values, alone)).toEqual(shareKept(...values, alone));
  });

  test("refuses lists of different lengths", () => {
    expect(() => shareKept([1], [1, 1], alone)).toThrow(RangeError);
  });
});
