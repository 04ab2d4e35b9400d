import { describe, expect, test } from "vitest";
import {
  cohenDz,
  comparePaired,
  detectableWith,
  holm,
  probabilityText,
  signFlipTest,
} from "../../../src/ranking/significance.js";

const repeat = (value: number, count: number) => new Array<number>(count).fill(value);

describe("the sign-flip test of few queries", () => {
  test("counts all flips: 1, 2, 3 has 2 of 8 sums as far from 0 as 6", () => {
    expect(signFlipTest([1, 2, 3])).toEqual({ p_value: 0.25, exact: true });
  });

  test("counts sums of the same distance: 1, 1, 1, -1 has 10 of 16 at 2 or more", () => {
    expect(signFlipTest([1, 1, 1, -1]).p_value).toBe(0.625);
  });

  test("counts sums that are equal on paper and differ in the last bit: 10 of 16", () => {
    expect(signFlipTest([0.1, 0.2, -0.3, 0.5]).p_value).toBe(0.625);
  });

  test("of six gains and no loss is 2 of 64, of five 2 of 32", () => {
    expect([signFlipTest(repeat(0.3, 6)).p_value, signFlipTest(repeat(0.3, 5)).p_value]).toEqual([2 / 64, 2 / 32]);
  });

  test("leaves queries without a difference out", () => {
    expect(signFlipTest([0, 1, 0, 2, 3, 0])).toEqual(signFlipTest([1, 2, 3]));
  });

  test("is 1 where nothing differs", () => {
    expect([signFlipTest([]), signFlipTest([0, 0, 0]), signFlipTest(repeat(0, 500))]).toEqual(
      repeat(0, 3).map(() => ({ p_value: 1, exact: true })),
    );
  });

  test("is 1 where gains and losses cancel out", () => {
    expect(signFlipTest([0.4, -0.4, 0.1, -0.1]).p_value).toBe(1);
  });

  test("is exact up to 20 queries that differ and sampled from 21", () => {
    expect(signFlipTest([...repeat(1, 20), ...repeat(0, 50)])).toEqual({ p_value: 2 / 2 ** 20, exact: true });
    expect(signFlipTest(repeat(1, 21)).exact).toBe(false);
  });

  test("does not depend on the order", () => {
    expect(signFlipTest([3, -1, 2, 0.5]).p_value).toBe(signFlipTest([0.5, 2, 3, -1]).p_value);
  });
});

describe("the sign-flip test of many queries", () => {
  const uneven = Array.from({ length: 60 }, (_, index) => Math.sin(index * 12.9898) + 0.2);

  test("is never 0: the observed order is one more flip", () => {
    expect(signFlipTest(repeat(1, 200), 10_000).p_value).toBe(1 / 10_001);
  });

  test("agrees with the binomial distribution: 17 gains of 24", () => {
    const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n, k - 1) * (n - k + 1)) / k);
    const upper = [17, 18, 19, 20, 21, 22, 23, 24].reduce((sum, k) => sum + choose(24, k), 0);
    const { p_value } = signFlipTest([...repeat(1, 17), ...repeat(-1, 7)]);
    expect(Math.abs(p_value - (2 * upper) / 2 ** 24)).toBeLessThan(0.004);
  });

  test("agrees with the exact count of the same 20 values, when one more hardly counts", () => {
    const twenty = uneven.slice(0, 20);
    const exact = signFlipTest(twenty).p_value;
    expect(Math.abs(signFlipTest([...twenty, 1e-9]).p_value - exact)).toBeLessThan(0.01);
  });

  test("is the same for losses as for gains", () => {
    expect(signFlipTest(uneven.map((value) => -value))).toEqual(signFlipTest(uneven));
  });

  test("repeats for a seed and moves a little with another", () => {
    const [first, again, other] = [3, 3, 4].map((seed) => signFlipTest(uneven, 10_000, seed).p_value) as [
      number,
      number,
      number,
    ];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
    expect(Math.abs(other - first)).toBeLessThan(0.02);
  });

  test("keeps its level: of 400 random sets without an effect about 5 % are called significant", () => {
    const significant = Array.from({ length: 400 }, (_, set) =>
      Array.from({ length: 30 }, (_, index) => {
        const noise = Math.sin((set * 30 + index + 1) * 78.233) * 43758.5453;
        return noise - Math.floor(noise) - 0.5;
      }),
    ).filter((values) => signFlipTest(values, 1000).p_value < 0.05).length;
    expect(significant).toBeGreaterThan(6);
    expect(significant).toBeLessThan(36);
  });

  test("refuses a difference that is not a number", () => {
    expect(() => signFlipTest([1, Number.NaN])).toThrow(RangeError);
  });
});

describe("Holm's correction", () => {
  test("multiplies the smallest by the count, the next by one less, and never falls back", () => {
    const adjusted = holm([0.01, 0.04, 0.03]);
    for (const [index, value] of [0.03, 0.06, 0.06].entries()) expect(adjusted[index]).toBeCloseTo(value, 12);
  });

  test("stays at 1 and leaves a single test as it is", () => {
    expect([holm([0.6, 0.9]), holm([0.04]), holm([])]).toEqual([[1, 1], [0.04], []]);
  });
});

describe("a paired comparison", () => {
  test("has difference, counts, effect and what it could have shown", () => {
    const found = comparePaired([0.6, 0.5, 0.2, 0.5], [0.2, 0.5, 0.3, 0.5]);
    expect(found).toMatchObject({ queries: 4, wins: 1, ties: 2, losses: 1, p_value: 1, exact: true });
    expect(found.mean).toBeCloseTo(0.075, 12);
    // Deviations .325, -.075, -.175, -.075 of the mean: variance .1475 / 3.
    expect(found.cohen_dz).toBeCloseTo(0.075 / Math.sqrt(0.1475 / 3), 12);
    expect(found.smallest_detectable).toBeCloseTo((2.8015852 * Math.sqrt(0.1475 / 3)) / 2, 6);
  });

  test("of a system with itself is nothing, for certain", () => {
    expect(comparePaired([0.1, 0.9], [0.1, 0.9])).toEqual({
      queries: 2,
      mean: 0,
      interval: [0, 0],
      p_value: 1,
      exact: true,
      wins: 0,
      ties: 2,
      losses: 0,
      cohen_dz: null,
      smallest_detectable: 0,
    });
  });

  test("has no effect size without spread", () => {
    expect([cohenDz([0.2]), cohenDz([0.5, 0.5])]).toEqual([null, null]);
  });
});

describe("the difference that can be shown, before anything is measured", () => {
  test("reproduces the table of training.md for standard deviations .25 and .15", () => {
    const rounded = (deviation: number) =>
      [50, 100, 200, 300, 500, 1000].map((queries) => Number(detectableWith(queries, deviation).toFixed(3)));
    expect(rounded(0.25)).toEqual([0.099, 0.07, 0.05, 0.04, 0.031, 0.022]);
    expect(rounded(0.15)).toEqual([0.059, 0.042, 0.03, 0.024, 0.019, 0.013]);
  });

  test("is at most the width of the metric", () => {
    expect([detectableWith(1, 0.25), detectableWith(0, 0.25), detectableWith(2, 0.9)]).toEqual([1, 1, 1]);
  });
});

test("a p-value is written with two digits and never as 0", () => {
  expect([0.0312499, 1, 0.0001, 0.00001].map(probabilityText)).toEqual(["0.031", "1", "0.0001", "< 0.0001"]);
});
