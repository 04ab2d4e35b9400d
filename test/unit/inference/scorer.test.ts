import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { probeProvider } from "../../../src/inference/gpu-probe.js";
import { Scorer, type ScorerOptions } from "../../../src/inference/scorer.js";
import { encodeOnnx, soundGraph } from "../../helpers/onnx-writer.js";
import {
  compiledScorerProcess,
  expectedSum,
  type Graph,
  MAX_LENGTH,
  writeModelFolder,
} from "../../helpers/scorer-package.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

const child = compiledScorerProcess();

async function start(graph: Graph, extra: Partial<ScorerOptions> = {}): Promise<Scorer> {
  const folder = await temporaryFolder();
  await writeModelFolder(folder, { fp32: graph });
  return Scorer.start({
    folder,
    variantFile: "onnx/model.onnx",
    maxLength: MAX_LENGTH,
    threads: 1,
    processFile: child.file(),
    ...extra,
  });
}

const PASSAGES = [
  "a patient",
  "the court dismissed the appeal",
  "",
  "deadline ".repeat(90),
  "water",
  "smoke and water in the old town",
];

describe("the scorer", () => {
  test("gives one logit a passage in the order of the passages", async () => {
    const scorer = await start("sum");
    const scores = await scorer.score("the router", PASSAGES);
    const expected = PASSAGES.map((passage) =>
      expectedSum(scorer.tokenizer.encodePair("the router", passage, MAX_LENGTH).ids),
    );
    for (const [index, score] of scores.entries()) expect(score).toBeCloseTo(expected[index] as number, 4);
    expect(scores).toHaveLength(PASSAGES.length);
    await scorer.close();
  });

  test("gives the same scores whatever the size of its batches", async () => {
    const [small, large] = [await start("sum", { batchTokens: 1 }), await start("sum", { batchTokens: 100_000 })];
    expect(await small.score("the router", PASSAGES)).toEqual(await large.score("the router", PASSAGES));
    await Promise.all([small.close(), large.close()]);
  });

  test("scores several groups as it scores each alone", async () => {
    const scorer = await start("sum");
    const groups = [
      { query: "fever", passages: PASSAGES },
      { query: "permit", passages: [] },
      { query: "heart", passages: PASSAGES.slice(2) },
    ];
    const together = await scorer.scoreGroups(groups);
    const alone = [
      await scorer.score("fever", PASSAGES),
      new Float32Array(0),
      await scorer.score("heart", PASSAGES.slice(2)),
    ];
    expect(together).toEqual(alone);
    await scorer.close();
  });

  test("feeds the segments to a graph that has them", async () => {
    const scorer = await start("segments");
    const pair = scorer.tokenizer.encodePair("fever", "heart and water", MAX_LENGTH);
    const second = pair.typeIds.reduce((sum, type) => sum + type, 0);
    const [score] = await scorer.score("fever", ["heart and water"]);
    expect(score).toBeCloseTo(expectedSum(pair.ids) + 10 * second, 3);
    await scorer.close();
  });

  test("reports progress up to the last pair", async () => {
    const scorer = await start("sum", { batchTokens: 32 });
    const seen: number[] = [];
    await scorer.scoreGroups([{ query: "fever", passages: PASSAGES }], (completed, total) =>
      seen.push(completed / total),
    );
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual([...seen].sort((left, right) => left - right));
    await scorer.close();
  });

  test("counts pairs, tokens and memory", async () => {
    const scorer = await start("sum");
    await scorer.score("fever", ["heart", "heart"]);
    expect(scorer.stats).toMatchObject({
      pairs: 2,
      tokens: 2 * scorer.tokenizer.encodePair("fever", "heart", MAX_LENGTH).ids.length,
    });
    expect(scorer.stats.memoryBytes).toBeGreaterThan(20 * 2 ** 20);
    expect(scorer.stats.coldStartMs).toBeGreaterThan(0);
    await scorer.close();
  });
});

/** A whole ONNX file that ONNX Runtime refuses to open. */
function unknownOperator(): Buffer {
  const graph = soundGraph();
  for (const node of graph.nodes) node.operator = "NoSuchOperator";
  return encodeOnnx(graph);
}

describe("a graph that is no whole ONNX file", () => {
  test("is refused by name before a process starts", async () => {
    const folder = await temporaryFolder();
    await writeModelFolder(folder, { fp32: "sum" });
    const file = join(folder, "onnx", "model.onnx");
    await writeFile(file, "not a graph");
    const options = { folder, variantFile: "onnx/model.onnx", maxLength: MAX_LENGTH, processFile: "/nowhere" };
    await expect(Scorer.start(options)).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining(file),
    });
  });
});

describe("a failure of the scoring process", () => {
  test("that cannot open the model is SCORER_FAILED and names the file", async () => {
    const folder = await temporaryFolder();
    await writeModelFolder(folder, { fp32: "sum" });
    await writeFile(join(folder, "onnx", "model.onnx"), unknownOperator());
    const options = { folder, variantFile: "onnx/model.onnx", maxLength: MAX_LENGTH, processFile: child.file() };
    await expect(Scorer.start(options)).rejects.toMatchObject({
      code: "SCORER_FAILED",
      message: expect.stringContaining(join(folder, "onnx", "model.onnx")),
    });
  });

  test("that dies while it scores is SCORER_FAILED, for this request and for later ones", async () => {
    const folder = await temporaryFolder();
    const dying = join(folder, "dying.mjs");
    await writeFile(
      dying,
      `process.on("message", ({ type }) => type === "open" ? process.send({ type: "opened", inputs: [], loadMs: 1, memoryBytes: 1 }) : (console.error("native abort"), process.abort()));`,
    );
    const scorer = await start("sum", { processFile: dying });
    await expect(scorer.score("fever", PASSAGES)).rejects.toMatchObject({
      code: "SCORER_FAILED",
      problems: expect.arrayContaining([{ message: "native abort" }]),
    });
    await expect(scorer.score("fever", PASSAGES)).rejects.toMatchObject({ code: "SCORER_FAILED" });
    await scorer.close();
  });

  test("that never started is SCORER_FAILED", async () => {
    await expect(start("sum", { processFile: "/nowhere/scorer-process.js" })).rejects.toMatchObject({
      code: "SCORER_FAILED",
    });
  });

  test("inside one batch leaves the scorer usable", async () => {
    const scorer = await start("sum");
    const unknown = { ids: [100_000], typeIds: [0], truncated: false };
    await expect(scorer.scoreEncoded([unknown])).rejects.toMatchObject({ code: "SCORER_FAILED" });
    expect(await scorer.score("fever", ["heart"])).toHaveLength(1);
    await scorer.close();
  });
});

describe("stopping", () => {
  test("by Ctrl-C rejects what is under way with INTERRUPTED", async () => {
    const controller = new AbortController();
    const scorer = await start("sum", { signal: controller.signal, batchTokens: 1 });
    const scoring = scorer.score("fever", new Array<string>(5000).fill("heart"));
    controller.abort("SIGINT");
    await expect(scoring).rejects.toMatchObject({ code: "INTERRUPTED" });
  });

  test("by SIGTERM before the start is TERMINATED", async () => {
    await expect(start("sum", { signal: AbortSignal.abort("SIGTERM") })).rejects.toMatchObject({ code: "TERMINATED" });
  });
});

describe("the provider probe", () => {
  test("says that cpu works", async () => {
    const folder = await temporaryFolder();
    await writeModelFolder(folder, { fp32: "sum" });
    expect(
      await probeProvider("cpu", { modelFile: join(folder, "onnx", "model.onnx"), processFile: child.file() }),
    ).toEqual({ works: true });
  });

  test("says why a provider does not work instead of failing", async () => {
    const modelFile = join(await temporaryFolder(), "model.onnx");
    await writeFile(modelFile, unknownOperator());
    const probe = await probeProvider("cpu", { modelFile, processFile: child.file() });
    expect(probe).toEqual({ works: false, reason: expect.stringContaining(modelFile) });
  });
});
