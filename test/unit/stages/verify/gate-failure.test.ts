import { describe, expect, test } from "vitest";
import { gateFailure } from "../../../../src/stages/verify/gate-failure.js";
import type { VariantReport, VerifyOutput } from "../../../../src/stages/verify/schema.js";

function output(...failed: string[]): VerifyOutput {
  const names = ["fp32", "int8"] as const;
  const gate = {
    gate: "invariance_max",
    outcome: "failed" as const,
    measured: 0.0021,
    limit: 1e-5,
    missed_by: 0.00209,
    detail: "16 pairs",
  };
  const variants = names.map((name) => ({
    name,
    provider: "cpu",
    outcome: failed.includes(name) ? "failed" : "passed",
    gates: failed.includes(name) ? [gate] : [],
  }));
  return {
    variants: variants as unknown as VariantReport[],
    passing: names.filter((name) => !failed.includes(name)),
  } as unknown as VerifyOutput;
}

describe("a missed gate", () => {
  test("is GATE_FAILED with variant, gate, limit and by how much it was missed", () => {
    const error = gateFailure(output("int8"), "serve fp32 here");
    expect(error).toMatchObject({ code: "GATE_FAILED", exitCode: 3, hint: "serve fp32 here" });
    expect(error?.problems).toEqual([
      { path: "int8 invariance_max", message: "measured 0.0021, limit 0.00001, missed by 0.00209: 16 pairs" },
    ]);
  });

  test("of several variants names them all", () => {
    expect(gateFailure(output("fp32", "int8"), "x")?.message).toBe("fp32 and int8 miss a gate.");
  });

  test("that did not happen is no failure", () => {
    expect(gateFailure(output(), "x")).toBeUndefined();
  });
});
