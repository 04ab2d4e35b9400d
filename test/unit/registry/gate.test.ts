import { describe, expect, test } from "vitest";
import { objections } from "../../../src/registry/gate.js";
import { report } from "../../helpers/registry.js";

const paths = (...of: Parameters<typeof objections>) => objections(...of).map(({ path }) => path);

describe("what speaks against a version", () => {
  test("is nothing when every gate of the variants it holds passed", () => {
    expect(objections(report({ fp32: "passed", int8: "failed" }), ["fp32"], "passed")).toEqual([]);
  });

  test("is every gate that failed, with what was measured", () => {
    expect(objections(report({ fp32: "passed", int8: "failed" }), ["fp32", "int8"], "passed")).toEqual([
      { path: "int8 on cpu ndcg_max_drop", message: "failed: measured -0.02, limit -0.005" },
    ]);
  });

  test("is an inconclusive gate, unless the rule lets it stay open", () => {
    expect(paths(report({ fp32: "inconclusive" }), ["fp32"], "passed")).toEqual(["fp32 on cpu ndcg_max_drop"]);
    expect(paths(report({ fp32: "inconclusive" }), ["fp32"], "not_failed")).toEqual([]);
    expect(paths(report({ fp32: "failed" }), ["fp32"], "not_failed")).toHaveLength(1);
  });

  test("is a variant that was not measured", () => {
    expect(paths(report({ fp32: "passed" }), ["fp32", "fp16"], "passed")).toEqual(["fp16"]);
  });

  test("is a verdict against the model, whatever a recipe allowed", () => {
    const against = report({ fp32: "passed" }, { verdict: { outcome: "no_significant_gain", guards: [] } });
    expect(paths(against, ["fp32"], "not_failed")).toEqual(["verdict"]);
    expect(paths(report({ fp32: "passed" }, { verdict: null }), ["fp32"], "passed")).toEqual([]);
  });

  test("is a guard set by its number, since its name can be a client's", () => {
    const gate = { gate: "guard_max_drop", outcome: "failed", measured: null, limit: -0.01 };
    const verdict = { outcome: "improved", guards: [{ name: "Client Ltd", gate }] };
    expect(objections(report({ fp32: "passed" }, { verdict }), ["fp32"], "passed")).toEqual([
      { path: "guard set 1 guard_max_drop", message: "failed: measured nothing, limit -0.01" },
    ]);
  });

  test.each([undefined, 1, {}, { variants: [{ name: "fp32" }] }])("is a report that is none: %j", (content) => {
    expect(paths(content, ["fp32"], "passed")).toEqual(["report"]);
  });
});
