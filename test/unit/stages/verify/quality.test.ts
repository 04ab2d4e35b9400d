import { describe, expect, test } from "vitest";
import type { Group, Passage } from "../../../../src/dataset/groups.js";
import { agreement, judgeQuality } from "../../../../src/stages/verify/agreement.js";
import {
  firstStageQuery,
  ndcgDifference,
  qualityRow,
  rankedQuery,
  relativeError,
} from "../../../../src/stages/verify/quality.js";
import { verifySchema } from "../../../../src/stages/verify/schema.js";

const passage = (id: string, label: number, rank?: number): Passage => ({
  id,
  text: id,
  label,
  source: "bm25",
  ...(rank === undefined ? {} : { rank }),
});
const group: Group = {
  query_id: "q",
  query: "q",
  passages: [passage("a", 0, 1), passage("b", 1, 2), passage("c", 0, 3)],
};

describe("a quality row", () => {
  test("holds NDCG@10, MRR@10 and Recall@5 of hand-worked ranks", () => {
    const row = qualityRow([rankedQuery(group, [3, 2, 1]), rankedQuery(group, [1, 3, 2])]);
    expect(row["ndcg@10"]).toBeCloseTo((1 / Math.log2(3) + 1) / 2, 12);
    expect(row["mrr@10"]).toBeCloseTo(0.75, 12);
    expect(row).toMatchObject({ "recall@5": 1, queries: 2 });
  });

  test("counts a query without any relevant passage as 0", () => {
    const none: Group = { ...group, passages: [passage("a", 0), passage("b", 0)] };
    expect(qualityRow([rankedQuery(group, [1, 3, 2]), rankedQuery(none, [1, 2])])["ndcg@10"]).toBeCloseTo(0.5, 12);
  });

  test("has an interval over clusters, and their number, where queries come in such", () => {
    const queries = [3, 3, 1, 1].map((first) => rankedQuery(group, [first, 2, 0]));
    const together = qualityRow(queries, [1, 1, 2, 2]);
    expect(together).toEqual({ ...qualityRow(queries), clusters: 2, "ndcg@10_interval": [1 / Math.log2(3), 1] });
    expect(qualityRow(queries, [4, 3, 2, 1])).toEqual(qualityRow(queries));
  });
});

describe("the first stage's row", () => {
  test("follows the ranks, not the order of the candidates", () => {
    const shuffled: Group = { ...group, passages: [passage("a", 0, 3), passage("b", 1, 1), passage("c", 0, 2)] };
    expect(qualityRow([firstStageQuery(shuffled)])["mrr@10"]).toBe(1);
  });

  test("counts a relevant passage without a rank as missed", () => {
    const injected: Group = { ...group, passages: [passage("a", 0, 1), passage("b", 1)] };
    const row = qualityRow([firstStageQuery(injected)]);
    expect([row["ndcg@10"], row["recall@5"]]).toEqual([0, 0]);
  });
});

describe("a difference", () => {
  test("of equal rankings is exactly nothing", () => {
    const queries = [rankedQuery(group, [1, 3, 2]), rankedQuery(group, [3, 2, 1])];
    expect(ndcgDifference(queries, queries)).toEqual({ mean: 0, interval: [0, 0], smallest_detectable: 0 });
  });

  test("is negative where the variant lost", () => {
    expect(ndcgDifference([rankedQuery(group, [3, 2, 1])], [rankedQuery(group, [1, 3, 2])]).mean).toBeCloseTo(
      1 / Math.log2(3) - 1,
      12,
    );
  });
});

describe("a difference over clusters", () => {
  const won = [rankedQuery(group, [1, 3, 2]), rankedQuery(group, [1, 3, 2]), rankedQuery(group, [3, 2, 1])];
  const lost = won.map(() => rankedQuery(group, [3, 2, 1]));

  test("has their number and a larger smallest difference", () => {
    const [apart, together] = [ndcgDifference(won, lost), ndcgDifference(won, lost, [1, 1, -3])];
    expect(together).toMatchObject({ mean: apart.mean, clusters: 2 });
    expect(together.smallest_detectable).toBeGreaterThan(apart.smallest_detectable);
  });

  test("is that of queries where each stands alone", () => {
    expect(ndcgDifference(won, lost, [-1, -2, -3])).toEqual(ndcgDifference(won, lost));
  });
});

describe("agreement", () => {
  test("of the same order is complete, whatever the scale", () => {
    expect(agreement([group], [[1, 2, 3]], [[10, 20, 30]])).toMatchObject({ spearman: 1, top1_flips: 0 });
  });

  test("counts queries with another best passage", () => {
    expect(
      agreement(
        [group, group],
        [
          [3, 2, 1],
          [3, 2, 1],
        ],
        [
          [3, 2, 1],
          [2, 3, 1],
        ],
      ).top1_flips,
    ).toBe(1);
  });

  test("counts passages on the other side of the threshold", () => {
    // sigmoid(0.4) is .599, sigmoid(-0.1) is .475, sigmoid(2) is .881
    const crossings = (threshold?: number) =>
      agreement([group], [[0.4, -0.1, 2]], [[-0.4, -0.2, 0.4]], threshold).threshold_crossings;
    expect([crossings(), crossings(0.7), crossings(0.95)]).toEqual([1, 1, 0]);
  });

  test("leaves queries out whose correlation is not defined", () => {
    expect(
      agreement(
        [group, group],
        [
          [1, 1, 1],
          [1, 2, 3],
        ],
        [
          [1, 2, 3],
          [1, 2, 3],
        ],
      ).spearman,
    ).toBe(1);
  });

  test("has the error of a constant shift in units of the reference's spread", () => {
    expect(relativeError([2, 3, 4], [1, 2, 3])).toBeCloseTo(1, 12);
  });

  test("has no relative error against a constant reference", () => {
    expect(relativeError([1, 2], [3, 3])).toBeNull();
  });
});

describe("gates on single queries and passages", () => {
  const judged = (gates: object) =>
    judgeQuality([Float32Array.of(3, 2, -1)], [group], verifySchema.parse({ gates }), [[2, 3, 1]]).gates;

  test("are none unless the recipe names them", () => {
    expect(judged({}).map(({ gate }) => gate)).toEqual(["ndcg_max_drop", "spearman_min"]);
  });

  test("hold the shares against their limits", () => {
    const outcomes = (limit: number) =>
      judged({ top1_flips_max: limit, threshold_crossings_max: limit })
        .slice(1, 3)
        .map(({ gate, outcome, measured }) => [gate, outcome, measured]);
    expect(outcomes(0.5)).toEqual([
      ["top1_flips_max", "failed", 1],
      ["threshold_crossings_max", "passed", 1 / 3],
    ]);
  });
});
