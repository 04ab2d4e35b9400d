import { describe, expect, test } from "vitest";
import type { Group } from "../../../../src/dataset/groups.js";
import type { Scores } from "../../../../src/ranking/scores.js";
import { compareWithTuned, type TeiGpuRequest, teiGpuJob, teiGpuLine } from "../../../../src/stages/verify/tei-gpu.js";

const ON_CPU = { device: "cpu", activations_replaced: 12 };

/** Two queries of two passages; the first passage of each is relevant. */
const GROUPS: Group[] = ["q1", "q2"].map((query_id) => ({
  query_id,
  query: "a question",
  passages: [
    { id: "yes", text: "one", label: 1, source: "judged" },
    { id: "no", text: "two", label: 0, source: "judged" },
  ],
}));

const scores = (rows: Record<string, [number, number]>): Scores =>
  new Map(
    Object.entries(rows).map(([query, [yes, no]]) => [
      query,
      new Map([
        ["yes", yes],
        ["no", no],
      ]),
    ]),
  );

const TUNED = scores({ q1: [3, 1], q2: [3, 1] });

describe("scores as TEI gives them on a GPU", () => {
  test("are held against the tuned model's on the same pairs", () => {
    // Deviations 0.1, 0.1, -2.1, 2.1 so a root mean square of root 2.21; 3, 1, 3, 1 spread by root 4/3 (n - 1).
    const report = compareWithTuned(GROUPS, scores({ q1: [3.1, 1.1], q2: [0.9, 3.1] }), TUNED, ON_CPU);
    expect(report).toMatchObject({
      arithmetic: "float32",
      activations_replaced: 12,
      queries: 2,
      pairs: 4,
      not_finite: 0,
    });
    expect(report?.relative_error).toBeCloseTo(Math.sqrt(2.21 / (4 / 3)), 10);
    expect(report?.largest_change).toBeCloseTo(2.1, 10);
    expect(report?.top1_flips).toBe(1);
    // q2 now has its one relevant passage second: NDCG@10 falls from 1 to 1 / log2(3), the mean by half of that.
    expect(report?.ndcg_difference.mean).toBeCloseTo((1 / Math.log2(3) - 1) / 2, 10);
  });

  test("count only the queries that were scored", () => {
    const report = compareWithTuned(GROUPS, scores({ q1: [3, 1] }), TUNED, { device: "cuda", activations_replaced: 1 });
    expect(report).toMatchObject({ arithmetic: "float16", queries: 1, pairs: 2, top1_flips: 0, largest_change: 0 });
  });

  test("that are not finite are counted and said", () => {
    const report = compareWithTuned(GROUPS, scores({ q1: [Number.NaN, 1], q2: [3, Infinity] }), TUNED, ON_CPU);
    expect(report).toMatchObject({ not_finite: 2, relative_error: null, largest_change: null });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(report && teiGpuLine(report)).toContain("2 scores are not finite over 4 pairs of 2 queries");
  });

  test("of no passage are no report", () => {
    expect(compareWithTuned([{ query_id: "q", query: "x", passages: [] }], new Map(), TUNED, ON_CPU)).toBeNull();
  });

  test("in one line say how they were made and what they change", () => {
    const report = compareWithTuned(GROUPS, TUNED, TUNED, ON_CPU);
    expect(report && teiGpuLine(report)).toBe(
      "TEI on a GPU (approximation on this machine) (float16 weights and tanh-GELU, float32 arithmetic): score error 0.00 % of the scores' spread, NDCG@10 +0.0000 [+0.0000, +0.0000], another best passage for 0, over 4 pairs of 2 queries",
    );
  });

  test("come from the packaged safetensors by the score job", () => {
    const request = { folder: "/model", groupsFile: "/test.jsonl", maxLength: 96, pairs: 50 } as TeiGpuRequest;
    expect(teiGpuJob(request)).toMatchObject({
      kind: "score",
      inputs: { model: "/model", groups: "/test.jsonl" },
      options: { max_length: 96, served_as: "tei_gpu", max_pairs: 50 },
    });
  });
});
