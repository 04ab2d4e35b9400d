import { describe, expect, test } from "vitest";
import type { ResolvedRecipe } from "../../../../src/pipeline/stage.js";
import { parseRecipe } from "../../../../src/recipe/parse.js";
import { gateFailure, versionFailure } from "../../../../src/stages/verify/gate-failure.js";
import { verify } from "../../../../src/stages/verify/index.js";
import type { VariantReport, Verdict, VerifyOutput } from "../../../../src/stages/verify/schema.js";

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
    verdict: null,
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

function judged(outcome: Verdict["outcome"], guard: "passed" | "failed" = "passed", ...failed: string[]): VerifyOutput {
  const gate = { gate: "guard_max_drop", outcome: guard, measured: -0.03, limit: -0.01, missed_by: 0.02, detail: "g" };
  const verdict = { outcome, summary: "keep the base: no significant gain", guards: [{ name: "general", gate }] };
  return { ...output(...failed), verdict: verdict as unknown as Verdict };
}

const recipe = { publish: { against_verdict: false } } as ResolvedRecipe;
const failureOf = (verified: VerifyOutput) => verify.failure?.(verified, recipe);

describe("a verdict without a significant gain", () => {
  test.each(["no_significant_gain", "worse"] as const)("%s ends with exit code 3 and says what to keep", (outcome) => {
    const error = failureOf(judged(outcome));
    expect(error).toMatchObject({
      code: "GATE_FAILED",
      exitCode: 3,
      message: "Keep the base: no significant gain.",
      hint: expect.stringContaining("--set publish.against_verdict=true"),
    });
  });

  test("names the gates that were missed besides", () => {
    expect(versionFailure(judged("worse", "passed", "int8"), false)?.problems).toMatchObject([
      { path: "int8 invariance_max" },
    ]);
  });

  test("is no failure where the recipe takes the model nevertheless", () => {
    expect(versionFailure(judged("no_significant_gain"), true)).toBeUndefined();
  });

  test("leaves a missed gate a failure even then", () => {
    expect(versionFailure(judged("no_significant_gain", "passed", "int8"), true)?.message).toBe("int8 misses a gate.");
  });
});

describe("the verdict on a student", () => {
  const student = (outcome: Verdict["outcome"]): VerifyOutput => {
    const found = judged(outcome);
    return { ...found, verdict: { ...found.verdict, student: {} } as unknown as Verdict };
  };

  test.each(["inconclusive", "beyond_limit"] as const)(
    "%s ends with exit code 3 and what a student can do",
    (outcome) => {
      const error = failureOf(student(outcome));
      expect(error).toMatchObject({ code: "GATE_FAILED", exitCode: 3 });
      expect(error?.hint).toContain("--set verify.gates.student_max_drop=0.02");
      expect(versionFailure(student(outcome), true)).toBeUndefined();
    },
  );

  test("within the limit is no failure", () => {
    expect(failureOf(student("within_limit"))).toBeUndefined();
  });

  test("is asked for with the teacher's folder, whose content enters the key", () => {
    const base = parseRecipe(
      "schema: 1\nname: s\nbase_model: { path: t }\nprepare: { source: d }\ntrain: { student: { layers: 6 } }",
      {
        file: "s.yaml",
      },
    );
    const options = verify.options({ ...base, base_dir: "/models/teacher" } as ResolvedRecipe);
    expect(options.teacher_dir).toBe("/models/teacher");
    expect(verify.sources(options, recipe)).toEqual([{ name: "base_model", path: "/models/teacher" }]);
  });
});

describe("an improved model", () => {
  test("is no failure", () => {
    expect(failureOf(judged("improved"))).toBeUndefined();
  });

  test("fails with a guard set that it gets worse on", () => {
    const error = versionFailure(judged("improved", "failed"), true);
    expect(error?.message).toBe("guard general misses a gate.");
    expect(error?.problems).toEqual([
      { path: "guard general guard_max_drop", message: "measured -0.03, limit -0.01, missed by 0.02: g" },
    ]);
  });
});

test("a folder without a verdict is judged by its gates alone", () => {
  expect([failureOf(output()), failureOf(output("fp32"))?.code]).toEqual([undefined, "GATE_FAILED"]);
});
