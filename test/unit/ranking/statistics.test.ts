import { describe, expect, test } from "vitest";
import { bootstrapDifference, bootstrapMean, smallestDetectable } from "../../../src/ranking/bootstrap.js";
import { seededIntegers } from "../../../src/ranking/random.js";
import { percentile, spearman, standardDeviation } from "../../../src/ranking/statistics.js";

describe("percentile", () => {
  test("interpolates between closest ranks as numpy does", () => {
    expect(percentile([15, 20, 35, 40, 50], 0.4)).toBeCloseTo(29, 12);
  });
  test("of one value is that value", () => {
    expect(percentile([7], 0.95)).toBe(7);
  });
  test("of nothing is refused", () => {
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });
});

describe("spearman", () => {
  test("is 1 for any rising relation", () => {
    expect(spearman([1, 2, 3, 4], [1, 10, 100, 1000])).toBeCloseTo(1, 12);
  });
  test("gives ties their average rank (scipy: 0.8207826816681233)", () => {
    expect(spearman([1, 2, 3, 4, 5], [5, 6, 7, 8, 7])).toBeCloseTo(0.8207826816681233, 12);
  });
  test("is not defined when one side is constant", () => {
    expect(spearman([1, 2, 3], [4, 4, 4])).toBeNull();
  });
});

describe("bootstrap", () => {
  const values = Float64Array.from({ length: 200 }, (_, index) => Math.abs(Math.sin(index * 12.9898)));
  test("of a sample of 200 agrees with the normal interval", () => {
    const { mean, interval } = bootstrapMean(values);
    const half = (1.96 * standardDeviation(values)) / Math.sqrt(200);
    expect(interval[0]).toBeCloseTo(mean - half, 2);
    expect(interval[1]).toBeCloseTo(mean + half, 2);
  });
  test("gives the same interval for the same seed", () => {
    expect(bootstrapMean(values, 500, 3)).toEqual(bootstrapMean(values, 500, 3));
  });
  test("gives another interval for another seed", () => {
    expect(bootstrapMean(values, 500, 3).interval).not.toEqual(bootstrapMean(values, 500, 4).interval);
  });
  test("of a paired difference sees a constant shift as certain", () => {
    const shifted = values.map((value) => value - 0.1);
    const { mean, interval } = bootstrapDifference(shifted, values);
    expect([mean, ...interval].map((value) => Number(value.toFixed(9)))).toEqual([-0.1, -0.1, -0.1]);
  });
  test("of a paired difference refuses unequal lengths", () => {
    expect(() => bootstrapDifference([1], [1, 2])).toThrow(RangeError);
  });
  test("of one thousand queries takes under a second", () => {
    // Time on the processor: another busy process does not count.
    const started = process.cpuUsage();
    bootstrapMean(Float64Array.from({ length: 1000 }, (_, index) => index));
    expect(process.cpuUsage(started).user / 1e6).toBeLessThan(1);
  });
});

describe("smallest detectable difference", () => {
  test("reproduces the table of training.md: sd 0.25 over 200 queries shows 0.050", () => {
    const alternating = Float64Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? 0.25 : -0.25));
    expect(smallestDetectable(alternating)).toBeCloseTo(0.0497, 3);
  });
  test("of a single query is the width of the metric", () => {
    expect(smallestDetectable([0.3])).toBe(1);
  });
});

describe("seeded integers", () => {
  test("stay in range and reach every value", () => {
    const draw = seededIntegers(1);
    const seen = new Set(Array.from({ length: 1000 }, () => draw(7)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
  test("are even: a chi-square over 100 cells stays below its 99.9 % limit", () => {
    const draw = seededIntegers(9);
    const cells = new Float64Array(100);
    for (let index = 0; index < 100_000; index++) {
      const cell = draw(100);
      cells[cell] = (cells[cell] as number) + 1;
    }
    const chiSquare = cells.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(148.2);
  });
});
