import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ResolvedRecipe, StageContext } from "../../../../src/pipeline/stage.js";
import { recipeSchema } from "../../../../src/recipe/schema.js";
import { quantize } from "../../../../src/stages/quantize/index.js";
import { quantizeJob } from "../../../../src/stages/quantize/job.js";
import { resolveWeightBits } from "../../../../src/stages/quantize/weight-bits.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";

const OPTIONS = {
  int8: true,
  fp16: true,
  fp16_attention: "plain",
  calibration_queries: 24,
  calibration_depth: 8,
  target_error: 0.03,
  max_error: 0.15,
  weight_bits: "8",
  openvino: false,
  max_length: 128,
} as const;
const FOLDERS = { prepare: "/p", train: "/t", export: "/e" };

describe("the quantize job", () => {
  test("reads the graph of export, the model of train and the training groups of prepare", () => {
    expect(quantizeJob(OPTIONS, FOLDERS).inputs).toEqual({
      onnx: join("/e", "onnx/model.onnx"),
      model: join("/t", "model"),
      calibration: join("/p", "groups.train.jsonl"),
    });
  });

  test("passes every option on", () => {
    expect(quantizeJob(OPTIONS, FOLDERS).options).toEqual(OPTIONS);
  });
});

describe("weight bits", () => {
  test.each([
    ["avx2 fma", "7"],
    ["avx2 avx_vnni", "8"],
    ["avx512f avx512_vnni", "8"],
  ])("a processor with %s takes %s bits", (flags, bits) => {
    expect(resolveWeightBits("auto", { arch: "x64", flags: flags.split(" ") })).toBe(bits);
  });

  test("unknown x86 flags take 7 bits", () => {
    expect(resolveWeightBits("auto", { arch: "x64", flags: [] })).toBe("7");
  });

  test("other processors take 8 bits", () => {
    expect(resolveWeightBits("auto", { arch: "arm64", flags: [] })).toBe("8");
  });

  test("the recipe's own number wins", () => {
    expect(resolveWeightBits("7", { arch: "arm64", flags: [] })).toBe("7");
  });
});

describe("the quantize stage", () => {
  test("has the resolved bits in its options, and so in its key", () => {
    const recipe = recipeSchema.parse({ schema: 1, name: "a", base_model: { path: "x" }, prepare: { source: "y" } });
    expect(quantize.options(recipe as ResolvedRecipe).weight_bits).toMatch(/^[78]$/);
  });

  test("starts no worker when the recipe wants no variant", async () => {
    const context: StageContext = {
      outDir: await temporaryFolder(),
      resuming: false,
      signal: new AbortController().signal,
      emit: () => undefined,
      python: () => Promise.reject(new Error("no Python needed")),
      now: () => new Date(0),
    };
    const input = { dir: "/x", output: {}, digest: "d" };
    const inputs = { prepare: input, train: input, export: input };
    expect((await quantize.run(context, { ...OPTIONS, int8: false, fp16: false }, inputs)).variants).toEqual([]);
  });
});
