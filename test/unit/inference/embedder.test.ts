import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { Embedder, type EmbedderOptions, poolingOf } from "../../../src/inference/embedder.js";
import { embeddingOutput, unitVectors } from "../../../src/inference/embedder-pooling.js";
import { loadTokenizer } from "../../../src/inference/tokenizer.js";
import { folderPerTest } from "../../helpers/folder-per-test.js";
import { compiledScorerProcess, writeModelFolder } from "../../helpers/scorer-package.js";

const folder = folderPerTest();
const child = compiledScorerProcess();
const DIMENSIONS = 5;
const TEXTS = ["a patient", "", "the court dismissed the appeal", "water", "deadline ".repeat(40), "water"];

async function start(graph: "lookup" | "pooled", extra: Partial<EmbedderOptions> = {}): Promise<Embedder> {
  await writeModelFolder(folder(), {});
  await copyFile(
    resolve(import.meta.dirname, `../../fixtures/embedding-models/${graph}.onnx`),
    join(folder(), "model.onnx"),
  );
  return Embedder.start({ folder: folder(), modelFile: "model.onnx", threads: 1, processFile: child.file(), ...extra });
}

/** The vector that make_embedding_model.py gives to a token. */
const tokenVector = (id: number) =>
  Array.from({ length: DIMENSIONS }, (_, axis) => ((id * (31 + 12 * axis)) % 97) / 97 - 0.5);

function unit(vectors: readonly number[][]): number[] {
  const sums = Array.from({ length: DIMENSIONS }, (_, axis) => vectors.reduce((sum, row) => sum + (row[axis] ?? 0), 0));
  const norm = Math.hypot(...sums);
  return sums.map((value) => value / norm);
}

/** Ids of a single text: those of a pair's query without what the pair adds behind it. */
async function idsOf(text: string): Promise<number[]> {
  const tokenizer = await loadTokenizer(folder());
  const pair = tokenizer.encodePair(text, "", 512).ids;
  return pair.slice(0, -1);
}

describe("the embedder", () => {
  test("gives the mean of the token vectors, scaled to length 1, in the order of the texts", async () => {
    const embedder = await start("lookup");
    const { vectors, dimensions } = await embedder.embed(TEXTS);
    expect([dimensions, vectors.length]).toEqual([DIMENSIONS, TEXTS.length * DIMENSIONS]);
    for (const [row, text] of TEXTS.entries()) {
      const expected = unit((await idsOf(text)).map(tokenVector));
      for (const [axis, value] of expected.entries()) expect(vectors[row * DIMENSIONS + axis]).toBeCloseTo(value, 5);
    }
    await embedder.close();
  });

  test("gives the first token's vector with cls pooling", async () => {
    const embedder = await start("lookup", { pooling: "cls" });
    const { vectors } = await embedder.embed(["water", "a patient"]);
    const expected = unit([tokenVector((await idsOf("water"))[0] as number)]);
    for (const [axis, value] of expected.entries()) expect(vectors[axis]).toBeCloseTo(value, 5);
    await embedder.close();
  });

  test("takes the vector of a graph that pools by itself", async () => {
    const embedder = await start("pooled");
    const { vectors } = await embedder.embed(["water"]);
    const expected = unit([tokenVector((await idsOf("water"))[0] as number)]);
    for (const [axis, value] of expected.entries()) expect(vectors[axis]).toBeCloseTo(value, 5);
    await embedder.close();
  });

  test("gives the same vectors whatever the size of its batches", async () => {
    const [small, large] = [await start("lookup", { batchTokens: 1 }), await start("lookup", { batchTokens: 100_000 })];
    expect(await small.embed(TEXTS)).toEqual(await large.embed(TEXTS));
    await Promise.all([small.close(), large.close()]);
  });

  test("cuts a long text on the right and keeps the special tokens at both ends", async () => {
    await mkdir(folder(), { recursive: true });
    await writeFile(join(folder(), "sentence_bert_config.json"), JSON.stringify({ max_seq_length: 6 }));
    const embedder = await start("lookup");
    const text = "water smoke permit town deadline button light fever";
    const { vectors } = await embedder.embed([text]);
    const ids = await idsOf(text);
    const expected = unit([...ids.slice(0, 5), ids.at(-1) as number].map(tokenVector));
    for (const [axis, value] of expected.entries()) expect(vectors[axis]).toBeCloseTo(value, 5);
    await embedder.close();
  });

  test("refuses by name a file that is no graph, and one that is not there", async () => {
    await start("lookup").then((embedder) => embedder.close());
    await writeFile(join(folder(), "model.onnx"), "not a graph");
    const options = { folder: folder(), modelFile: "model.onnx", processFile: child.file() };
    await expect(Embedder.start(options)).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining(join(folder(), "model.onnx")),
    });
    await expect(Embedder.start({ ...options, folder: join(folder(), "no") })).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
    });
  });

  test("ends with INTERRUPTED on Ctrl-C", async () => {
    const controller = new AbortController();
    const embedder = await start("lookup", { signal: controller.signal, batchTokens: 1 });
    const embedding = embedder.embed(new Array<string>(5000).fill("water"));
    controller.abort("SIGINT");
    await expect(embedding).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});

describe("pooling", () => {
  const lengths = Int32Array.from([2, 1]);

  test("looks at real tokens alone, worked by hand", () => {
    const data = Float32Array.from([3, 0, 0, 4, 9, 9, 0, 2, 7, 7, 7, 7]);
    const { vectors } = unitVectors(data, [2, 3, 2], { lengths, pooling: "mean" });
    // Row 0: (3, 0) + (0, 4) = (3, 4), length 5. Row 1: (0, 2), length 2.
    expect(Array.from(vectors)).toEqual([expect.closeTo(0.6, 6), expect.closeTo(0.8, 6), 0, 1]);
  });

  test("leaves a vector of zeros as it is", () => {
    const { vectors } = unitVectors(new Float32Array(4), [2, 2], { lengths, pooling: "mean" });
    expect(Array.from(vectors)).toEqual([0, 0, 0, 0]);
  });

  test("refuses an output of another shape", () => {
    for (const shape of [[2], [3, 2], [2, 1, 1, 2]])
      expect(() => unitVectors(new Float32Array(4), shape, { lengths, pooling: "mean" })).toThrow(/shape/);
  });

  test("reads token vectors before a graph's own pooling", () => {
    expect(embeddingOutput(["sentence_embedding", "token_embeddings"])).toBe("token_embeddings");
    expect(embeddingOutput(["output_0"])).toBe("output_0");
    expect(() => embeddingOutput([])).toThrow(/no output/);
  });

  test("is what the model's own folder says, else mean", async () => {
    expect(await poolingOf(folder())).toBe("mean");
    await mkdir(join(folder(), "1_Pooling"));
    await writeFile(join(folder(), "1_Pooling", "config.json"), JSON.stringify({ pooling_mode_cls_token: true }));
    expect(await poolingOf(folder())).toBe("cls");
  });
});
