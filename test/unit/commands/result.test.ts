import { describe, expect, test } from "vitest";
import { runData, variantRows } from "../../../src/commands/result.js";
import type { PipelineResult } from "../../../src/pipeline/execute.js";
import type { VariantReport, VerifyOutput } from "../../../src/stages/verify/schema.js";

const quality = (ndcg: number) => ({
  "ndcg@10": ndcg,
  "ndcg@10_interval": [ndcg - 0.03, ndcg + 0.03] as [number, number],
  "mrr@10": ndcg,
  "recall@5": ndcg,
  queries: 200,
});

const report = (name: VariantReport["name"], provider: string, ndcg: number): VariantReport => ({
  name,
  provider,
  outcome: "passed",
  gates: [],
  quality: quality(ndcg),
  ndcg_difference: null,
  spearman: null,
  top1_flips: null,
  threshold_crossings: null,
  relative_error: null,
  pairs_per_second: 100,
  bytes: 1000,
  cold_start_ms: 1,
  memory_bytes: 1,
  nodes: null,
});

const verified: VerifyOutput = {
  verdict: null,
  outcome: "passed",
  variants: [
    report("int8", "cuda", 0.1),
    report("fp16", "cpu", 0.52),
    report("int8", "cpu", 0.51),
    report("fp32", "cpu", 0.52),
  ],
  first_stage: quality(0.31),
  base: null,
  tuned: { ...quality(0.52), pairs_per_second: 300, bytes: 2000 },
  tokenizer: { pairs: 20, mismatches: 0, ordinary: [], exotic: [] },
  tei_gpu: null,
  latency: [],
  machine: { cpu: "x", cores: 2, flags: [], threads: 2, onnxruntime: "1.30.0", node: "20" },
  passing: ["fp32", "int8", "fp16"],
};

describe("the rows of results", () => {
  test("go from first stage over tuned to fp32, int8 and fp16; base only when there is one", () => {
    expect(variantRows(verified).map(({ name }) => name)).toEqual(["first_stage", "tuned", "fp32", "int8", "fp16"]);
    const withBase = { ...verified, base: { ...quality(0.4), pairs_per_second: null, bytes: 2000 } };
    expect(variantRows(withBase)[1]).toMatchObject({ name: "base", "ndcg@10": 0.4 });
  });

  test("show a variant as measured on the CPU when it was measured on several providers", () => {
    expect(variantRows(verified).find(({ name }) => name === "int8")?.["ndcg@10"]).toBe(0.51);
  });

  test("have null where nothing was measured", () => {
    expect(variantRows(verified)[0]).toMatchObject({ pairs_per_second: null, bytes: null, outcome: null });
  });
});

describe("the data of a run", () => {
  const result: PipelineResult = {
    stages: [{ name: "package", status: "cached", reason: "unchanged", seconds: 0 }],
    outputs: { package: { model: "model", tei_int8: "model-int8", files: 1, bytes: 1 }, verify: verified },
    dirs: { package: "/a/05-package/k" },
  };

  test("has absolute paths of the model and its TEI folder", () => {
    const data = runData("r", "/reg", result);
    expect([data.package, data.tei_package]).toEqual(["/a/05-package/k/model", "/a/05-package/k/model-int8"]);
  });

  test("is null where the pipeline did not come so far", () => {
    expect(runData("r", "/reg", { stages: [], outputs: {}, dirs: {} })).toMatchObject({
      variants: [],
      student: null,
      package: null,
      tei_package: null,
      version: null,
      registry: "/reg",
    });
  });
});
