import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { openModel } from "../../../src/evaluation/model.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

async function folderWith(files: Record<string, unknown>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), JSON.stringify(content));
  }
  return folder;
}

const BERT = { "config.json": { model_type: "bert", max_position_embeddings: 512 } };
const FP32 = { "onnx/model.onnx": 0 };
const INT8 = { "onnx/model_quantized.onnx": 0 };

describe("a model folder", () => {
  test("without onnx/ has no variant", async () => {
    expect((await openModel(await folderWith(BERT), {})).variant).toBeNull();
  });

  test("is scored by its fp32 graph unless another is named", async () => {
    const folder = await folderWith({ ...BERT, ...FP32, ...INT8 });
    expect((await openModel(folder, {})).variant).toBe("fp32");
    expect((await openModel(folder, { variant: "int8" })).variant).toBe("int8");
  });

  test("with an int8 graph alone is scored by that", async () => {
    expect((await openModel(await folderWith({ ...BERT, ...INT8 }), {})).variant).toBe("int8");
  });

  test("lacks a variant: the ones it has are named", async () => {
    await expect(openModel(await folderWith({ ...BERT, ...FP32 }), { variant: "int8" })).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      hint: "use --variant fp32",
    });
    await expect(openModel(await folderWith(BERT), { variant: "fp32" })).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      hint: expect.stringContaining("leave --variant out"),
    });
  });

  test("that is not there is refused, a file too", async () => {
    const folder = await folderWith(BERT);
    for (const path of [join(folder, "none"), join(folder, "config.json")])
      await expect(openModel(path, {})).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  });
});

describe("the tokens of a pair", () => {
  const roberta = { model_type: "xlm-roberta", max_position_embeddings: 514, pad_token_id: 1 };
  test.each([
    ["the package's", 96, { ...BERT, "rerank-tune.json": { max_length: 96 }, "tokenizer_config.json": {} }],
    ["the tokenizer's limit", 256, { ...BERT, "tokenizer_config.json": { model_max_length: 256 } }],
    [
      "all positions when the tokenizer knows no limit",
      512,
      { ...BERT, "tokenizer_config.json": { model_max_length: 1e30 } },
    ],
    ["never more than the positions", 512, { ...BERT, "tokenizer_config.json": { model_max_length: 8192 } }],
    ["the positions behind RoBERTa's padding id", 512, { "config.json": roberta }],
  ])("are %s", async (_, expected, files) => {
    expect((await openModel(await folderWith(files), {})).max_length).toBe(expected);
  });

  test("are those of --max-length, up to the positions", async () => {
    const folder = await folderWith({ "config.json": roberta });
    expect((await openModel(folder, { maxLength: 300 })).max_length).toBe(300);
    await expect(openModel(folder, { maxLength: 513 })).rejects.toMatchObject({
      code: "USAGE",
      hint: "use --max-length 512 or less",
    });
  });
});
