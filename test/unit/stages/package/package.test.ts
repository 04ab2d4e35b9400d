import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hashFile, listFiles } from "../../../../src/artifacts/hash.js";
import { readPackageManifest } from "../../../../src/model-folder/open.js";
import type { ResolvedRecipe } from "../../../../src/pipeline/stage.js";
import { recipeSchema } from "../../../../src/recipe/schema.js";
import { packageStage } from "../../../../src/stages/package/index.js";
import { openPackage } from "../../../../src/stages/verify/package-check.js";
import { TINY_INT8, type UpstreamOptions, writeUpstream } from "../../../helpers/fake-package.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";

const OPTIONS = { recipe: { schema: 1 }, base_identity: "local:base", max_length: 96 };

async function build(options: UpstreamOptions = {}) {
  const root = await temporaryFolder();
  const { inputs, context } = await writeUpstream(root, options);
  const out = join(root, "package");
  const output = await packageStage.run(context(out), OPTIONS, inputs);
  return { out, model: join(out, "model"), output };
}

const json = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;

describe("a package", () => {
  test("has every file a consumer looks for", async () => {
    const { model } = await build();
    expect(await listFiles(model)).toEqual([
      "config.json",
      "config_sentence_transformers.json",
      "golden_pairs.json",
      "model.safetensors",
      "modules.json",
      "onnx/model.onnx",
      "onnx/model_fp16.onnx",
      "onnx/model_quantized.onnx",
      "rerank-tune.json",
      "sentence_bert_config.json",
      "special_tokens_map.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
  });

  test("is frozen", async () => {
    const { out } = await build();
    for (const path of await listFiles(out)) expect((await stat(join(out, path))).mode & 0o222, path).toBe(0);
  });

  test("keeps a number of config.json as the text it was: transformers refuses 2 for 2.0", async () => {
    const { model } = await build();
    expect(await readFile(join(model, "config.json"), "utf8")).toContain('"initializer_cutoff_factor": 2.0');
  });

  test("lists every other file with its digest", async () => {
    const { model } = await build();
    const manifest = await readPackageManifest(model);
    expect(manifest.files.map(({ path }) => path)).toEqual(
      (await listFiles(model)).filter((path) => path !== "rerank-tune.json"),
    );
    expect((await openPackage(model)).manifest).toEqual(manifest);
  });

  test("from the same inputs has the same bytes", async () => {
    const [one, two] = [await build(), await build()];
    for (const path of await listFiles(one.out))
      expect(await hashFile(join(one.out, path)), path).toBe(await hashFile(join(two.out, path)));
  });

  test("holds no path of this machine", async () => {
    const { out } = await build();
    for (const path of await listFiles(out))
      expect(await readFile(join(out, path), "utf8"), path).not.toMatch(/home|rerank-tune-test-/);
  });

  test("ships the very tokenizer.json of training", async () => {
    const { model, out } = await build();
    expect(await hashFile(join(model, "tokenizer.json"))).toBe(
      await hashFile(join(out, "../train/model/tokenizer.json")),
    );
  });

  test("takes truncation that an earlier call left out of tokenizer.json", async () => {
    const { model } = await build({
      files: {
        "train/model/tokenizer.json": '{"truncation":{"max_length":20},"padding":null,"model":{"vocab":[["a",-1.0]]}}',
      },
    });
    expect(await json(join(model, "tokenizer.json"))).toMatchObject({ truncation: null, padding: null });
    expect(await readFile(join(model, "tokenizer.json"), "utf8")).toContain("-1.0");
  });

  test("has a file of its own for external weights, which onnx refuses as a link", async () => {
    const files = { "export/onnx/model.onnx": "fp32", "export/onnx/model.onnx_data": "big" };
    const { model } = await build({ files });
    expect((await stat(join(model, "onnx/model.onnx_data"))).nlink).toBe(1);
    expect((await readPackageManifest(model)).variants[0]).toEqual({
      name: "fp32",
      files: ["onnx/model.onnx", "onnx/model.onnx_data"],
      bytes: 7,
    });
    expect(await json(join(model, "config.json"))).toHaveProperty(["transformers.js_config"]);
  });

  test("without a trained weights file says which is missing", async () => {
    await expect(build({ files: { "train/model/config.json": undefined } })).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: expect.stringContaining("config.json"),
    });
  });
});

describe("the folder for TEI", () => {
  test("has the int8 graph under the one name that TEI opens", async () => {
    const { out } = await build();
    expect((await readFile(join(out, "tei-int8/onnx/model.onnx"))).equals(TINY_INT8)).toBe(true);
  });

  test("has no weights that TEI could fall back to", async () => {
    const { out } = await build({ files: { "export/onnx/model.onnx_data": "big" } });
    expect(await readdir(join(out, "tei-int8/onnx"))).toEqual(["model.onnx"]);
    expect(await readdir(join(out, "tei-int8"))).not.toContain("model.safetensors");
    expect(await json(join(out, "tei-int8/config.json"))).not.toHaveProperty(["transformers.js_config"]);
  });

  test("is not there without int8", async () => {
    const { out, output } = await build({ files: { "quantize/onnx/model_quantized.onnx": undefined } });
    expect(output).not.toHaveProperty("tei_int8");
    expect(await readdir(out)).toEqual(["model", "records"]);
    expect((await readPackageManifest(join(out, "model"))).variants.map(({ name }) => name)).toEqual(["fp32", "fp16"]);
  });
});

describe("the options of package", () => {
  const recipe = (change: Record<string, unknown>): ResolvedRecipe => ({
    ...recipeSchema.parse({
      schema: 1,
      name: "x",
      base_model: { path: "/secret/bases/tiny" },
      prepare: { source: "/clients/miller/pairs.jsonl", run: "/clients/miller/run.trec" },
      ...change,
    }),
    base_dir: "/secret/bases/tiny",
    base_identity: "local:tiny",
    registry_dir: "/secret/registry",
  });

  test("hold no path and no name of the user's files", () => {
    expect(JSON.stringify(packageStage.options(recipe({})))).not.toMatch(/secret|miller|clients/);
  });

  test("carry how the vocabulary was trimmed without the names of its texts, and nothing where it was not", () => {
    const trim = { corpus: "/clients/miller/logs.txt", languages: ["de"] };
    const { recipe: slice } = packageStage.options(recipe({ trim }));
    expect(JSON.parse(JSON.stringify(slice)).trim).toEqual({ languages: ["de"], keep: "characters" });
    expect(packageStage.options(recipe({})).recipe).not.toHaveProperty("trim");
  });

  test("carry the gates, so that the proof can be repeated under the same limits", () => {
    const { verify } = packageStage.options(recipe({ verify: { gates: { ndcg_max_drop: 0.1 } } })).recipe;
    expect(verify).toMatchObject({ gates: { ndcg_max_drop: 0.1 }, latency: { candidates: [10, 20, 50, 100] } });
  });

  test("do not change with card or registry, so that nothing is packaged and verified again for them", () => {
    const changed = recipe({
      package: { description: "Another sentence." },
      publish: { alias: "prod" },
    });
    expect(packageStage.options(changed)).toEqual(packageStage.options(recipe({})));
  });
});

describe("opening a package", () => {
  test("of a folder without a manifest says what is missing", async () => {
    await expect(readPackageManifest(await temporaryFolder())).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  });
});
