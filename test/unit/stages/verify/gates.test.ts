import { describe, expect, test } from "vitest";
import { atLeast, atMost, gateLine, notWorse, worst } from "../../../../src/stages/verify/gates.js";

const difference = (mean: number, low: number, high: number) => ({
  mean,
  interval: [low, high] as [number, number],
  smallest_detectable: 0.01,
});

describe("a limit", () => {
  test("that is met exactly passes", () => {
    expect([atMost("g", 1, 1, "").outcome, atLeast("g", 1, 1, "").outcome]).toEqual(["passed", "passed"]);
  });
  test("that is exceeded fails and says by how much", () => {
    expect(atMost("g", 3, 1, "")).toMatchObject({ outcome: "failed", missed_by: 2 });
  });
  test("that is not reached fails and says by how much", () => {
    expect(atLeast("g", 0.5, 2, "")).toMatchObject({ outcome: "failed", missed_by: 1.5 });
  });
  test("fails for a measurement that is not a number", () => {
    expect(atMost("g", Number.NaN, 1, "")).toMatchObject({ outcome: "failed", measured: null });
  });
});

describe("the NDCG gate", () => {
  test("passes when the whole interval lies above the allowed loss", () => {
    expect(notWorse(difference(-0.001, -0.004, 0.002), 0.005, 200).outcome).toBe("passed");
  });
  test("fails when the whole interval lies below it, and says by how much the mean missed", () => {
    const gate = notWorse(difference(-0.02, -0.03, -0.01), 0.005, 200);
    expect(gate.outcome).toBe("failed");
    expect(gate.missed_by).toBeCloseTo(0.015, 12);
  });
  test("is inconclusive when the interval straddles it, and says what the split could show", () => {
    const gate = notWorse(difference(-0.001, -0.02, 0.02), 0.005, 40);
    expect(gate.outcome).toBe("inconclusive");
    expect(gate.detail).toContain("smallest loss they could show is 0.0100");
  });
});

describe("the NDCG gate over clusters", () => {
  test("says of how many", () => {
    const gate = notWorse({ ...difference(0, -0.001, 0.001), clusters: 12 }, 0.005, 40);
    expect(gate).toMatchObject({
      outcome: "passed",
      detail: expect.stringContaining("over 40 queries in 12 clusters;"),
    });
  });
  test("is inconclusive over one alone, which has no interval", () => {
    const outcomes = [0, -1].map((at) => notWorse({ ...difference(at, at, at), clusters: 1 }, 0.005, 40).outcome);
    expect(outcomes).toEqual(["inconclusive", "inconclusive"]);
  });
});

test("the same gate under another name keeps its rule", () => {
  expect(notWorse(difference(-0.02, -0.03, -0.01), 0.005, 200, "guard_max_drop")).toMatchObject({
    gate: "guard_max_drop",
    outcome: "failed",
  });
});

describe("outcomes together", () => {
  test("are as bad as the worst", () => {
    expect([worst(["passed", "inconclusive", "failed"]), worst(["passed", "inconclusive"]), worst([])]).toEqual([
      "failed",
      "inconclusive",
      "passed",
    ]);
  });
});

test("a failed gate reads as one line with measured value, limit and miss", () => {
  expect(gateLine("int8", atMost("batch_invariance", 0.002, 0.00001, "why"))).toBe(
    "int8 batch_invariance failed: measured 0.002, limit 0.00001, missed by 0.00199 (why)",
  );
});
