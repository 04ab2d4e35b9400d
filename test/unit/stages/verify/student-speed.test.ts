import { describe, expect, test } from "vitest";
import type { LatencyRow } from "../../../../src/stages/verify/schema.js";
import { studentSpeed } from "../../../../src/stages/verify/student-speed.js";

const row = (variant: string, candidates: number, p50_ms: number, provider = "cpu"): LatencyRow => ({
  variant,
  provider,
  candidates,
  tokens_per_pair: 100,
  samples: 9,
  p50_ms,
  p95_ms: 2 * p50_ms,
  p99_ms: null,
});

const ROWS = [
  row("fp32", 10, 20),
  row("teacher fp32", 10, 36),
  row("fp32", 50, 100),
  row("teacher fp32", 50, 195),
  row("int8", 50, 40),
  row("teacher int8", 50, 78),
];

describe("the speed of a student", () => {
  test("is its teacher's median latency over its own, variant by variant on the same candidates", () => {
    const { latency } = studentSpeed(ROWS, {}, 50);
    expect(latency.map(({ variant, candidates, times }) => [variant, candidates, times])).toEqual([
      ["fp32", 10, 1.8],
      ["fp32", 50, 1.95],
      ["int8", 50, 1.95],
    ]);
  });

  test("is told at the candidates that the gates look at", () => {
    expect(studentSpeed(ROWS, {}, 50).summary).toBe(
      "fp32 1.95 times as fast as the teacher's (p50 100.0 ms, teacher 195.0 ms), int8 1.95 times as fast as the teacher's (p50 40.0 ms, teacher 78.0 ms) at 50 candidates",
    );
  });

  test("is told at the most candidates that were measured, where the budget ended before those", () => {
    expect(studentSpeed(ROWS.slice(0, 2), {}, 50).summary).toMatch(/^fp32 1\.80 times .* at 10 candidates$/);
  });

  test("is not taken from a teacher on another provider, or one that was left out", () => {
    expect(studentSpeed([row("fp32", 10, 20), row("teacher fp32", 10, 36, "cuda")], {}, 10).latency).toEqual([]);
    expect(studentSpeed([row("fp32", 10, 20)], {}, 10).summary).toBe("not measured beside the teacher");
  });

  test("falls back on the pairs a second of PyTorch", () => {
    const references = { tuned_pairs_per_second: 90, base_pairs_per_second: 50 };
    expect(studentSpeed([], references, 10)).toEqual({
      latency: [],
      pytorch_times: 1.8,
      summary: "1.80 times as many pairs a second as the teacher in PyTorch, fp32",
    });
    expect(studentSpeed([], { tuned_pairs_per_second: 90, base_pairs_per_second: null }, 10).pytorch_times).toBeNull();
  });
});
