import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { graphOf, pairLength, refuseEncoder } from "../../../../src/data-tools/mine/model-files.js";
import { folderPerTest } from "../../../helpers/folder-per-test.js";

const folder = folderPerTest();

async function files(...names: string[]): Promise<string> {
  for (const name of names) {
    await mkdir(dirname(join(folder(), name)), { recursive: true });
    await writeFile(join(folder(), name), "");
  }
  return folder();
}

describe("the graph of a model folder", () => {
  test.each([
    [["tokenizer.json", "onnx/model.onnx", "model.onnx"], "onnx/model.onnx"],
    [["tokenizer.json", "model.onnx", "onnx/model_O3.onnx"], "model.onnx"],
    [["tokenizer.json", "onnx/model_quantized.onnx"], "onnx/model_quantized.onnx"],
    [["tokenizer.json", "reranker.onnx", "model.safetensors"], "reranker.onnx"],
  ])("of %j is %s", async (names, graph) => {
    expect(graphOf(await files(...names), "--model")).toBe(graph);
  });

  test("is not chosen among several under other names", async () => {
    const made = await files("tokenizer.json", "onnx/model_O3.onnx", "onnx/model_qint8.onnx");
    expect(() => graphOf(made, "--model")).toThrow(/has no onnx\/model.onnx nor model.onnx/);
  });

  test("of a folder of weights alone comes with the way to make one", async () => {
    const made = await files("tokenizer.json", "config.json", "model.safetensors");
    expect(() => graphOf(made, "--model")).toThrow(
      expect.objectContaining({ code: "MODEL_NOT_FOUND", hint: expect.stringContaining("CrossEncoder(FOLDER") }),
    );
    expect(() => graphOf(made, "--embedding-model")).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("SentenceTransformer(FOLDER") }),
    );
  });

  test("needs its tokenizer, and a folder that is there", async () => {
    expect(() => graphOf(join(folder(), "nowhere"), "--model")).toThrow(/There is no folder .*nowhere/);
    const made = await files("onnx/model.onnx");
    expect(() => graphOf(made, "--model")).toThrow(/has no tokenizer.json/);
  });
});

describe("a model that is to score pairs", () => {
  const config = (body: object) => writeFile(join(folder(), "config.json"), JSON.stringify(body));

  test("is no embedding model", async () => {
    await config({ architectures: ["XLMRobertaModel"] });
    await expect(refuseEncoder(folder())).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining("XLMRobertaModel"),
    });
  });

  test("is any classifier, and one that does not say", async () => {
    await config({ architectures: ["BertForSequenceClassification"] });
    await expect(refuseEncoder(folder())).resolves.toBeUndefined();
    await config({});
    await expect(refuseEncoder(folder())).resolves.toBeUndefined();
  });

  test("takes pairs of what its package says, else of 512 tokens or of its places", async () => {
    expect(await pairLength(folder())).toBe(512);
    await config({ max_position_embeddings: 256 });
    expect(await pairLength(folder())).toBe(256);
  });
});
