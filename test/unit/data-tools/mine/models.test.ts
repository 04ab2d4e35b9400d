import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { mineNegatives } from "../../../../src/data-tools/mine/index.js";
import type { MineOptions } from "../../../../src/data-tools/mine/options.js";
import { Embedder } from "../../../../src/inference/embedder.js";
import { Scorer } from "../../../../src/inference/scorer.js";
import { folderPerTest } from "../../../helpers/folder-per-test.js";
import { mineContext, mineOptions, writeJsonl } from "../../../helpers/mining.js";
import { compiledScorerProcess, writeModelFolder } from "../../../helpers/scorer-package.js";

const folder = folderPerTest();
const child = compiledScorerProcess();
const TEXTS = [
  "the court dismissed the appeal",
  "a patient with fever",
  "water and smoke in the old town",
  "reset the router by holding the button",
  "the permit has a deadline",
  "heart and light",
  "the town court has a deadline",
  "smoke",
];

async function prepared(): Promise<{ model: string; reranker: string }> {
  const [model, reranker] = [join(folder(), "embedding"), join(folder(), "reranker")];
  await writeModelFolder(model, {});
  await mkdir(join(model, "onnx"), { recursive: true });
  await copyFile(
    resolve(import.meta.dirname, "../../../fixtures/embedding-models/lookup.onnx"),
    join(model, "onnx", "model.onnx"),
  );
  await writeModelFolder(reranker, { fp32: "sum" });
  await writeJsonl(
    join(folder(), "corpus.jsonl"),
    TEXTS.map((text, index) => ({ _id: `p${index}`, text })),
  );
  await writeJsonl(join(folder(), "labelled.jsonl"), [
    { query_id: "q1", query: "court appeal", passages: [{ id: "p0", text: TEXTS[0], label: 1 }] },
    { query_id: "q2", query: "fever", passages: [{ id: "p1", text: TEXTS[1], label: 1 }] },
  ]);
  return { model, reranker };
}

async function mine(changes: Partial<MineOptions>, context = mineContext()) {
  const options = mineOptions(folder(), { ranks: { first: 1, last: 8 }, perQuery: 3, random: 0, ...changes });
  const report = await mineNegatives(options, { ...context, processFile: child.file() });
  const lines = (await readFile(options.out, "utf8")).trimEnd().split("\n");
  return { report, rows: lines.map((line) => JSON.parse(line) as { passages: Record<string, unknown>[] }) };
}

describe("mining with models", () => {
  test("by an embedding model takes the nearest passages by cosine, with the prefixes it was given", async () => {
    const { model } = await prepared();
    const embedding = { folder: model, queryPrefix: "query: ", passagePrefix: "passage: " };
    const { rows } = await mine({ from: "embedding", embedding });
    const embedder = await Embedder.start({ folder: model, modelFile: "onnx/model.onnx", processFile: child.file() });
    const { vectors, dimensions } = await embedder.embed([
      "query: court appeal",
      ...TEXTS.map((text) => `passage: ${text}`),
    ]);
    await embedder.close();
    const row = (at: number) => Array.from(vectors.subarray(at * dimensions, (at + 1) * dimensions));
    const cosine = (at: number) => row(at + 1).reduce((sum, value, axis) => sum + value * (row(0)[axis] as number), 0);
    const order = TEXTS.map((_, at) => at).sort((left, right) => cosine(right) - cosine(left));
    const expected = order
      .map((at, place) => ({ id: `p${at}`, rank: place + 1, score: Number(cosine(at).toPrecision(6)) }))
      .filter(({ id }) => id !== "p0")
      .slice(0, 3);
    const mined = (rows[0]?.passages ?? []).slice(1);
    expect(mined.map(({ id, rank, source }) => ({ id, rank, source }))).toEqual(
      expected.map(({ id, rank }) => ({ id, rank, source: "embedding" })),
    );
    for (const [place, { score }] of expected.entries()) expect(mined[place]?.score).toBeCloseTo(score, 5);
  });

  test("keeps the vectors in a folder of its own when asked to, and does not make them twice", async () => {
    const { model } = await prepared();
    const store = join(folder(), "vectors");
    const embedding = { folder: model, queryPrefix: "", passagePrefix: "", store };
    await mine({ from: "embedding", embedding });
    const before = await readFile(join(store, "embeddings.f32"));
    const context = mineContext();
    await mine({ from: "embedding", embedding, out: join(folder(), "second.jsonl"), perQuery: 2 }, context);
    expect(Buffer.compare(await readFile(join(store, "embeddings.f32")), before)).toBe(0);
    expect(context.events.filter((event) => event.type === "progress" && event.total === 8)).toHaveLength(1);
  });

  test("filters by the scores of a reranker and writes them down", async () => {
    const { reranker } = await prepared();
    const options = { folder: reranker, variantFile: "onnx/model.onnx", maxLength: 512, processFile: child.file() };
    const scorer = await Scorer.start(options);
    const logits = Array.from(await scorer.score("court appeal", TEXTS));
    await scorer.close();
    // A positive in the middle, so that some candidates are above it and some below.
    const positive = logits.indexOf([...logits].sort((left, right) => left - right)[4] as number);
    await writeJsonl(join(folder(), "labelled.jsonl"), [
      { query_id: "q1", query: "court appeal", passages: [{ id: `p${positive}`, text: TEXTS[positive], label: 1 }] },
    ]);
    const run = join(folder(), "run.trec");
    await writeFile(run, TEXTS.map((_, at) => `q1 Q0 p${at} ${at + 1} ${8 - at} prod\n`).join(""));
    const { report, rows } = await mine({ from: "run", run, base: { model: reranker }, perQuery: 8 });
    const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));
    const others = logits.map((logit, at) => ({ at, logit })).filter(({ at }) => at !== positive);
    const clear = others.filter(({ logit }) => sigmoid(logit) < 0.95 * sigmoid(logits[positive] as number));
    expect(clear.length).toBeGreaterThan(0);
    expect(clear.length).toBeLessThan(others.length);
    const mined = (rows[0]?.passages ?? []).slice(1);
    expect(mined.map(({ id }) => id)).toEqual(clear.map(({ at }) => `p${at}`));
    for (const [place, { logit }] of clear.entries()) expect(mined[place]?.base_score).toBeCloseTo(logit, 4);
    expect(report).toMatchObject({ filtered: true, likely_positives: others.length - clear.length });
  });

  test("says which model cannot be opened", async () => {
    const { model } = await prepared();
    await writeFile(join(model, "onnx", "model.onnx"), "not a graph");
    const embedding = { folder: model, queryPrefix: "", passagePrefix: "" };
    await expect(mine({ from: "embedding", embedding })).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining(join(model, "onnx", "model.onnx")),
    });
  });
});
