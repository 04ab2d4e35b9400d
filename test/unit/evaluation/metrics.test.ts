import { describe, expect, test } from "vitest";
import { metricDifferences, metricTable, type SystemQuery } from "../../../src/evaluation/metrics.js";

const SECOND = 1 / Math.log2(3);

function query(labels: number[], missed: number[] = [], judged = labels.map(() => true)): SystemQuery {
  return {
    ranked: {
      scores: labels.map((_, rank) => -rank),
      labels,
      ids: labels.map((_, rank) => `p${rank}`),
      missed: missed.map((label) => ({ label })),
    },
    judged,
  };
}

describe("the metric table", () => {
  const first = query([0, 1, 0]);
  const second = query([1, 0], [1]);
  const nothing = query([], [1]);

  test("holds every metric by its name, the mean over all queries with those without candidates as 0", () => {
    const { metrics } = metricTable([first, second, nothing], 100);
    const expected = {
      "ndcg@1": 1 / 3,
      "ndcg@10": (SECOND + 1 / (1 + SECOND)) / 3,
      "mrr@10": (1 / 2 + 1) / 3,
      map: (1 / 2 + 1 / 2) / 3,
      "p@1": 1 / 3,
      "p@3": (1 / 3 + 1 / 3) / 3,
      "p@5": (1 / 5 + 1 / 5) / 3,
      "recall@1": 1 / 2 / 3,
      "recall@5": (1 + 1 / 2) / 3,
      "success@1": 1 / 3,
      "judged@10": 1,
      tie_rate: 0,
    };
    for (const [name, value] of Object.entries(expected)) expect(metrics[name], name).toBeCloseTo(value, 12);
    expect(metrics["ndcg@10_tie_averaged"]).toBeCloseTo(metrics["ndcg@10"] as number, 12);
  });

  test("lists recall up to the depth alone, and recall@5 always", () => {
    const names = (depth: number) =>
      Object.keys(metricTable([first], depth).metrics).filter((name) => name.startsWith("recall"));
    expect(names(10)).toEqual(["recall@1", "recall@3", "recall@5", "recall@10"]);
    expect(names(2)).toEqual(["recall@1", "recall@5"]);
    expect(names(100)).toContain("recall@100");
  });

  test("has null where there is nothing to say", () => {
    expect(metricTable([nothing], 100).metrics).toMatchObject({ "judged@10": null, tie_rate: null, "ndcg@10": 0 });
  });

  test("counts judged passages over the queries that have candidates", () => {
    const { metrics } = metricTable([query([1, 0], [], [true, false]), nothing], 100);
    expect(metrics["judged@10"]).toBe(1 / 2);
  });

  test("counts tied candidates over all candidates", () => {
    const tied = { ...first, ranked: { ...first.ranked, scores: [1, 1, 0] } };
    expect(metricTable([tied, second], 100).metrics.tie_rate).toBe(2 / 5);
  });

  test("has an interval of no width where all queries agree, and one around the mean elsewhere", () => {
    expect(metricTable([query([1]), query([1])], 100).intervals["ndcg@10"]).toEqual([1, 1]);
    const { metrics, intervals } = metricTable([first, second, nothing, query([1])], 100);
    const [low, high] = intervals["ndcg@10"];
    expect(low).toBeLessThan(metrics["ndcg@10"] as number);
    expect(high).toBeGreaterThan(metrics["ndcg@10"] as number);
  });
});

describe("the difference of two systems", () => {
  test("is paired: a constant gain has an interval of no width although the queries differ", () => {
    const better = metricTable([query([1, 0]), query([1, 0, 0])], 100);
    const worse = metricTable([query([0, 1]), query([0, 1, 0])], 100);
    const { "ndcg@10": ndcg, "mrr@10": mrr, "recall@5": recall } = metricDifferences(better, worse);
    expect(ndcg.mean).toBeCloseTo(1 - SECOND, 12);
    expect(ndcg.interval[1] - ndcg.interval[0]).toBeCloseTo(0, 12);
    expect([mrr.mean, recall.mean]).toEqual([1 / 2, 0]);
  });
});
