import { describe, expect, test } from "vitest";
import { type FoldQueries, poolFolds } from "../../../src/ranking/out-of-fold.js";
import { comparePaired } from "../../../src/ranking/significance.js";
import { sliceReports, slicesOf } from "../../../src/ranking/slices.js";

/** A fold of queries that stand alone; `first` numbers them over all folds. */
function fold(first: number, tuned: number[], reference: number[], lang?: (index: number) => string): FoldQueries {
  return {
    queries: tuned.map((_, index) => ({
      query: "q".repeat(5 + (index % 7)),
      ...(lang === undefined ? {} : { lang: lang(index) }),
    })),
    tuned,
    reference,
    clusters: tuned.map((_, index) => first + index),
  };
}

const wave = (count: number, phase: number) =>
  Array.from({ length: count }, (_, index) => 0.5 + Math.sin(phase + index) / 3);

describe("pooled folds", () => {
  test("are one comparison over all queries, not a mean of means", () => {
    const pooled = poolFolds([fold(0, [1, 1, 1], [0, 0, 0]), fold(3, [0.5], [0.5])]);
    expect(pooled.comparison).toMatchObject({ queries: 4, mean: 0.75, wins: 3, ties: 1, losses: 0, clusters: 4 });
    expect(pooled.folds).toEqual([
      { queries: 3, tuned: 1, reference: 0, mean: 1, interval: [1, 1] },
      { queries: 1, tuned: 0.5, reference: 0.5, mean: 0, interval: [0, 0] },
    ]);
  });

  test("give what the same queries in one test split would give", () => {
    const [tuned, reference] = [wave(90, 0), wave(90, 2)];
    const language = (index: number) => (index % 2 === 0 ? "de" : "en");
    const whole = fold(0, tuned, reference, language);
    const parts = [0, 30, 60].map((first) =>
      fold(first, tuned.slice(first, first + 30), reference.slice(first, first + 30), language),
    );
    const pooled = poolFolds(parts);
    expect(pooled.comparison).toEqual({ ...comparePaired(tuned, reference), clusters: 90 });
    const queries = parts.flatMap((part) => [...part.queries]);
    const differences = tuned.map((value, index) => value - (reference[index] as number));
    expect(queries.map(({ lang }) => lang)).toEqual(whole.queries.map(({ lang }) => lang));
    expect(pooled.slices).toEqual(sliceReports(slicesOf(queries), differences));
    expect(pooled.slices.filter(({ by }) => by === "language").map(({ queries: count }) => count)).toEqual([45, 45]);
  });

  test("name a slice that loses although the whole gains", () => {
    const english = fold(0, Array(40).fill(0.9), Array(40).fill(0.5), () => "en");
    const german = fold(40, Array(35).fill(0.4), Array(35).fill(0.5), () => "de");
    const { comparison, slices } = poolFolds([english, german]);
    expect(comparison.mean).toBeGreaterThan(0);
    const losing = slices.filter(({ significant_loss }) => significant_loss);
    expect(losing.map(({ name }) => name)).toEqual(["de"]);
  });

  test("give no p-value to a slice of many queries in few clusters", () => {
    const make = (lang: string, first: number, cluster: (index: number) => number): FoldQueries => ({
      ...fold(first, wave(40, first), wave(40, first + 1), () => lang),
      clusters: Array.from({ length: 40 }, (_, index) => cluster(index)),
    });
    const { slices } = poolFolds([make("en", 0, (index) => index), make("de", 40, (index) => 100 + (index % 5))]);
    const tested = slices.filter(({ by }) => by === "language").map(({ name, p_value }) => [name, p_value !== null]);
    expect(Object.fromEntries(tested)).toEqual({ en: true, de: false });
  });
});
