import { chmod, link, mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lintFolder } from "../../../src/lint/index.js";
import { packageStage } from "../../../src/stages/package/index.js";
import { writeUpstream } from "../../helpers/fake-package.js";
import { folderPerTest } from "../../helpers/folder-per-test.js";
import { encodeOnnx, soundGraph } from "../../helpers/onnx-writer.js";
import { encodeSafetensors, lintIt, soundParts, writeModel } from "./model-files.js";

const folder = folderPerTest();
const at = (path: string) => join(folder(), path);
const model = () => at("model");
const found = async () => {
  const { findings, refused_by } = await lintIt(model());
  return { rules: findings.map(({ rule }) => rule), refused_by };
};
const ONNX = ["tei-ort", "sentence-transformers-onnx", "transformers.js", "infinity", "onnxruntime"];

/** A sound folder whose graph keeps its weight in model.onnx_data. */
const writeWithData = () =>
  writeModel(model(), (parts) => {
    for (const tensor of parts.graph.initializers) if (tensor.name === "weight") tensor.location = "model.onnx_data";
    parts.config["transformers.js_config"] = { use_external_data_format: { "model.onnx": 1 } };
    parts.files["onnx/model.onnx_data"] = Buffer.alloc(4);
  });

describe("a folder on the disk", () => {
  test("that is sound has no findings", async () => {
    await writeModel(model());
    expect(await found()).toEqual({ rules: [], refused_by: [] });
  });

  test.each([
    ["that is not there", "nowhere", "There is no folder"],
    ["that is a file", "file", "is a file"],
    ["that is empty", "empty", "is empty"],
  ])("%s is named", async (_, name, message) => {
    await writeFile(at("file"), "x");
    await mkdir(at("empty"));
    await expect(lintIt(at(name))).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: expect.stringContaining(message),
    });
  });

  test("is read without its weights: a graph and weights of 3 GB each, most of them a hole", async () => {
    await writeModel(model());
    await truncate(join(model(), "onnx/model.onnx"), 3e9);
    await truncate(join(model(), "model.safetensors"), 3e9);
    expect((await found()).rules).toEqual(["weights_broken", "onnx_broken", "onnx_over_2_gb"]);
  });

  test("stops when it is told to", async () => {
    await writeModel(model());
    const signal = AbortSignal.abort("SIGINT");
    await expect(lintFolder({ name: model(), deciding: [], fix: false, signal })).rejects.toMatchObject({
      code: "INTERRUPTED",
    });
  });

  test("is judged by those who decide", async () => {
    await writeModel(model(), ({ files }) => {
      files["model.safetensors"] = null;
    });
    expect((await lintIt(model())).refused_by).toEqual(["tei-candle", "sentence-transformers", "vllm"]);
    expect((await lintIt(model(), { deciding: ["tei-ort", "onnxruntime"] })).refused_by).toEqual([]);
    expect((await lintIt(model(), { deciding: ["vllm"] })).refused_by).toEqual(["vllm"]);
  });
});

describe("links", () => {
  test("to a place outside are warned of", async () => {
    await writeModel(model());
    await writeFile(at("card.md"), await readFile(join(model(), "README.md")));
    await rm(join(model(), "README.md"));
    await symlink(at("card.md"), join(model(), "README.md"));
    expect(await found()).toEqual({ rules: ["link_leaves"], refused_by: [] });
  });

  test("inside the folder are fine", async () => {
    await writeModel(model());
    await symlink("README.md", join(model(), "CARD.md"));
    expect(await found()).toEqual({ rules: [], refused_by: [] });
  });

  test("of the Hub's own cache are fine", async () => {
    await writeModel(at("blobs"));
    const snapshot = at("snapshots/abc");
    await mkdir(join(snapshot, "onnx"), { recursive: true });
    for (const name of await readdir(at("blobs")))
      if (name !== "onnx") await symlink(`../../blobs/${name}`, join(snapshot, name));
    await writeFile(at("blobs/graph"), encodeOnnx(soundGraph()));
    await symlink("../../../blobs/graph", join(snapshot, "onnx/model.onnx"));
    expect((await lintIt(snapshot)).findings).toEqual([]);
  });

  test("to nothing are missing files", async () => {
    await writeModel(model());
    await rm(join(model(), "model.safetensors"));
    await symlink("gone", join(model(), "model.safetensors"));
    expect(await found()).toEqual({
      rules: ["link_to_nothing"],
      refused_by: ["tei-candle", "sentence-transformers", "vllm"],
    });
  });

  test("from a graph's weights to another folder stop ONNX Runtime", async () => {
    await writeWithData();
    await writeFile(join(model(), "weights"), Buffer.alloc(4));
    await rm(join(model(), "onnx/model.onnx_data"));
    await symlink("../weights", join(model(), "onnx/model.onnx_data"));
    expect(await found()).toEqual({ rules: ["external_data_linked"], refused_by: ONNX });
  });

  test("that are hard stop Python's onnx only", async () => {
    await writeWithData();
    await link(join(model(), "onnx/model.onnx_data"), at("other"));
    expect(await found()).toEqual({ rules: ["external_data_linked"], refused_by: [] });
  });
});

describe("--fix", () => {
  const breakIt = () =>
    writeModel(model(), ({ sentenceBert, config, files }) => {
      delete sentenceBert.max_seq_length;
      delete config.label2id;
      files["config.json"] = `{"initializer_range": 2.0, ${JSON.stringify(config).slice(1)}`;
    });

  test("writes what changed and nothing else, and says so", async () => {
    await breakIt();
    const before = (await stat(join(model(), "tokenizer.json"))).mtimeMs;
    const { fixed, findings } = await lintIt(model(), { fix: true });
    expect(fixed.map(({ rule, file }) => [rule, file])).toEqual([
      ["label2id_missing", "config.json"],
      ["length_file_without_length", "sentence_bert_config.json"],
    ]);
    expect(findings).toEqual([]);
    expect((await stat(join(model(), "tokenizer.json"))).mtimeMs).toBe(before);
    expect((await readdir(model())).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    expect((await lintIt(model(), { fix: true })).fixed).toEqual([]);
  });

  test("keeps what it does not change, comments of a card included", async () => {
    await writeModel(model(), (parts) => {
      parts.card = parts.card.replace("pipeline_tag: text-ranking\n", "");
    });
    await lintIt(model(), { fix: true });
    const card = await readFile(join(model(), "README.md"), "utf8");
    expect(card).toContain("base_model: owner/base # where it is from");
    expect(card).toContain("pipeline_tag: text-ranking");
    expect(card).toContain("---\n\n# A reranker\n");
  });

  test("of a file that cannot be written leaves no other file behind", async () => {
    await breakIt();
    await chmod(model(), 0o555);
    const failure = await lintIt(model(), { fix: true }).catch((error: NodeJS.ErrnoException) => error);
    await chmod(model(), 0o755);
    // root may write anywhere
    if (process.getuid?.() !== 0) expect(failure).toMatchObject({ code: "EACCES" });
    expect((await readdir(model())).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("refuses a package, whose digests it would break", async () => {
    await breakIt();
    await writeFile(join(model(), "rerank-tune.json"), "{}");
    await expect(lintIt(model(), { fix: true })).rejects.toMatchObject({
      code: "USAGE",
      hint: expect.stringContaining("rerank-tune run RECIPE"),
    });
  });
});

describe("what our own package stage writes", () => {
  test("is a reranker to everyone, and the folder for TEI to those who open graphs", async () => {
    const parts = soundParts();
    const { inputs, context } = await writeUpstream(folder(), { graphInputs: ["input_ids", "attention_mask"] });
    const graph = encodeOnnx(parts.graph);
    const trained = {
      "train/model/config.json": JSON.stringify({ ...parts.config, sentence_transformers: undefined }),
      "train/model/tokenizer.json": JSON.stringify({ ...parts.tokenizer, truncation: { max_length: 9 } }),
      "train/model/tokenizer_config.json": JSON.stringify({
        ...parts.tokenizerConfig,
        tokenizer_class: "TokenizersBackend",
      }),
      "train/model/model.safetensors": encodeSafetensors(parts.tensors),
      "export/onnx/model.onnx": graph,
      "quantize/onnx/model_quantized.onnx": graph,
      "quantize/onnx/model_fp16.onnx": graph,
    };
    for (const [path, content] of Object.entries(trained)) await writeFile(at(path), content);
    const recipe = { recipe: { schema: 1 }, base_identity: "local:base", max_length: 48 };
    await packageStage.run(context(at("package")), recipe, inputs);
    const report = await lintIt(at("package/model"));
    expect(report.refused_by).toEqual([]);
    expect(report.findings.filter(({ severity }) => severity !== "note")).toEqual([]);
    expect(report.consumers.find(({ name }) => name === "tei-ort")?.limits.max_input_tokens).toBe(48);
    const twin = await lintIt(at("package/tei-int8"));
    expect(twin.refused_by).toEqual(["tei-candle", "sentence-transformers", "vllm"]);
    expect(twin.findings.filter(({ severity }) => severity !== "note").map(({ rule }) => rule)).toEqual([
      "weights_missing",
    ]);
  });
});

describe("what sentence-transformers 6.0.1 saves", () => {
  test("lacks the length that TEI wants, and --fix adds it", async () => {
    // As CrossEncoder.save_pretrained wrote them for such a model with transformers 5.18.
    await writeModel(model(), ({ sentenceBert, tokenizer, tokenizerConfig, config, files }) => {
      delete sentenceBert.max_seq_length;
      delete config.sentence_transformers;
      tokenizer.truncation = { direction: "Right", max_length: 64, strategy: "LongestFirst", stride: 0 };
      tokenizer.padding = {
        strategy: "BatchLongest",
        direction: "Right",
        pad_to_multiple_of: null,
        pad_id: 0,
        pad_type_id: 0,
        pad_token: "[PAD]",
      };
      Object.assign(tokenizerConfig, { tokenizer_class: "TokenizersBackend", backend: "tokenizers", is_local: true });
      files["special_tokens_map.json"] = null;
      files["onnx/model.onnx"] = null;
    });
    expect(await found()).toEqual({
      rules: ["tokenizer_class_of_transformers_5", "tokenizer_leftovers", "length_file_without_length", "onnx_missing"],
      refused_by: ["tei-ort", "tei-candle", ...ONNX.slice(1)],
    });
    const after = await lintIt(model(), { fix: true });
    expect(after.findings.map(({ rule }) => rule)).toEqual(["onnx_missing"]);
    const saved = JSON.parse(await readFile(join(model(), "sentence_bert_config.json"), "utf8")) as object;
    expect(saved).toMatchObject({ transformer_task: "sequence-classification", max_seq_length: 64 });
  });
});
