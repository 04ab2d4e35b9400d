import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { reciprocalRankAt } from "../../../src/ranking/mrr.js";
import { ndcgAt } from "../../../src/ranking/ndcg.js";
import type { RankedQuery } from "../../../src/ranking/order.js";
import { averagePrecision, precisionAt, recallAt } from "../../../src/ranking/recall.js";

interface Recorded extends RankedQuery {
  name: string;
  expected: Record<string, number>;
}
const recorded = JSON.parse(readFileSync(new URL("../../fixtures/trec-eval.json", import.meta.url), "utf8")) as {
  queries: Recorded[];
  mean_ndcg_cut_10_with_one_missing_query: number;
};

const METRICS: Record<string, (query: RankedQuery) => number> = {
  ndcg_cut_1: (query) => ndcgAt(query, 1),
  ndcg_cut_3: (query) => ndcgAt(query, 3),
  ndcg_cut_5: (query) => ndcgAt(query, 5),
  ndcg_cut_10: (query) => ndcgAt(query, 10),
  ndcg_cut_20: (query) => ndcgAt(query, 20),
  recip_rank_of_first_10: (query) => reciprocalRankAt(query, 10),
  recip_rank: (query) => reciprocalRankAt(query, Number.POSITIVE_INFINITY),
  recall_1: (query) => recallAt(query, 1),
  recall_5: (query) => recallAt(query, 5),
  recall_10: (query) => recallAt(query, 10),
  recall_3: (query) => recallAt(query, 3),
  recall_100: (query) => recallAt(query, 100),
  P_3: (query) => precisionAt(query, 3),
  success_1: (query) => precisionAt(query, 1),
  P_1: (query) => precisionAt(query, 1),
  P_5: (query) => precisionAt(query, 5),
  P_10: (query) => precisionAt(query, 10),
  map: averagePrecision,
};

describe("values recorded from trec_eval", () => {
  for (const query of recorded.queries)
    test(`are met for: ${query.name}`, () => {
      expect(Object.keys(query.expected).sort()).toEqual(Object.keys(METRICS).sort());
      for (const [name, metric] of Object.entries(METRICS))
        expect(metric(query), name).toBeCloseTo(query.expected[name] as number, 10);
    });

  test("a query that the run lacks counts as 0 in the mean (-c)", () => {
    const missing: RankedQuery = { scores: [], labels: [], ids: [], missed: [{ label: 1 }] };
    const values = [...recorded.queries, missing].map((query) => ndcgAt(query, 10));
    expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(
      recorded.mean_ndcg_cut_10_with_one_missing_query,
      10,
    );
  });
});

describe("hand-worked values", () => {
  test("NDCG@10 of labels 0, 2, 1 in that order is (2/log2 3 + 1/2) / (2 + 1/log2 3)", () => {
    const query = { scores: [3, 2, 1], labels: [0, 2, 1], ids: ["a", "b", "c"] };
    expect(ndcgAt(query, 10)).toBeCloseTo((2 / Math.log2(3) + 0.5) / (2 + 1 / Math.log2(3)), 12);
  });

  test("a missed relevant passage lowers NDCG through the ideal", () => {
    const query = { scores: [1], labels: [1], ids: ["a"], missed: [{ label: 1 }] };
    expect(ndcgAt(query, 10)).toBeCloseTo(1 / (1 + 1 / Math.log2(3)), 12);
  });

  test("a relevant passage beyond the cutoff gives no reciprocal rank", () => {
    const query = { scores: [3, 2, 1], labels: [0, 0, 1], ids: ["a", "b", "c"] };
    expect([reciprocalRankAt(query, 2), reciprocalRankAt(query, 3)]).toEqual([0, 1 / 3]);
  });

  test("a NaN score ranks last instead of spoiling the order", () => {
    const query = { scores: [Number.NaN, 1, 2], labels: [1, 0, 0], ids: ["z", "b", "c"] };
    expect(reciprocalRankAt(query, 10)).toBeCloseTo(1 / 3, 12);
  });

  test("the order of the candidates never matters", () => {
    const forward = { scores: [1, 1, 1, 1], labels: [0, 1, 0, 0], ids: ["a", "b", "c", "d"] };
    const backward = { scores: [1, 1, 1, 1], labels: [0, 0, 1, 0], ids: ["d", "c", "b", "a"] };
    expect(ndcgAt(forward, 10)).toBe(ndcgAt(backward, 10));
  });
});

describe("contract with the Python trainer", () => {
  const contract = JSON.parse(readFileSync(new URL("../../contract/ndcg.json", import.meta.url), "utf8")) as {
    cases: (RankedQuery & { name: string; "ndcg@10": number })[];
  };
  for (const item of contract.cases)
    test(`NDCG@10 of: ${item.name}`, () => {
      expect(ndcgAt(item, 10)).toBeCloseTo(item["ndcg@10"], 10);
    });
});
