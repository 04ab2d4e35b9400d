import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scoreData } from "../../../../src/data-tools/score/index.js";
import { loadTokenizer } from "../../../../src/inference/tokenizer.js";
import { folderPerTest } from "../../../helpers/folder-per-test.js";
import { compiledScorerProcess, expectedSum, MAX_LENGTH, writeModelFolder } from "../../../helpers/scorer-package.js";
import { groupsOf, labelledFile, scoreContext, scoreOptions, wordCounter } from "./scoring.js";

const folder = folderPerTest();
const child = compiledScorerProcess();

interface Row {
  query: string;
  passages: { text: string; teacher_score: number }[];
}

async function rowsOf(file: string): Promise<Row[]> {
  return (await readFile(file, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
}

describe("a teacher in a folder of ours", () => {
  test("gives the logits of its graph", async () => {
    await labelledFile(folder());
    const model = join(folder(), "model");
    await writeModelFolder(model, { fp32: "sum" });
    const options = scoreOptions(folder(), { teacher: { folder: model, maxLength: MAX_LENGTH } });
    const report = await scoreData(options, scoreContext({ processFile: child.file() }));
    expect(report).toMatchObject({ teacher: model, queries: 5, passages: 15 });
    const tokenizer = await loadTokenizer(model);
    for (const { query, passages } of await rowsOf(groupsOf(report)))
      for (const { text, teacher_score } of passages)
        expect(teacher_score).toBeCloseTo(expectedSum(tokenizer.encodePair(query, text, MAX_LENGTH).ids), 4);
  });

  test("that gives no numbers ends the run: nobody can learn from them", async () => {
    await labelledFile(folder());
    const model = join(folder(), "model");
    await writeModelFolder(model, { fp32: "nan" });
    const options = scoreOptions(folder(), { teacher: { folder: model, maxLength: MAX_LENGTH } });
    await expect(scoreData(options, scoreContext({ processFile: child.file() }))).rejects.toMatchObject({
      code: "SCORER_FAILED",
      message: expect.stringContaining("not a finite number"),
    });
  });

  test("must have the variant that is asked for, and be there", async () => {
    await labelledFile(folder());
    const model = join(folder(), "model");
    await writeModelFolder(model, { fp32: "sum" });
    const score = (teacher: { folder: string; variant?: "int8" }) =>
      scoreData(scoreOptions(folder(), { teacher }), scoreContext());
    await expect(score({ folder: model, variant: "int8" })).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
    await expect(score({ folder: join(folder(), "nowhere") })).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  });
});

describe("a teacher in a plain transformers folder", () => {
  test("is scored by the Python worker", async () => {
    await labelledFile(folder());
    const model = join(folder(), "plain");
    await mkdir(model);
    await writeFile(join(model, "config.json"), "{}");
    await writeFile(join(model, "model.safetensors"), "weights");
    const context = scoreContext(await wordCounter(folder()));
    const report = await scoreData(scoreOptions(folder(), { teacher: { folder: model } }), context);
    for (const { passages } of await rowsOf(groupsOf(report)))
      for (const { teacher_score } of passages) expect(teacher_score).toBe(3);
    // The worker's own progress counts pairs of a block; the person sees queries of the whole.
    const units = context.events.flatMap((event) => (event.type === "progress" ? [event.unit] : []));
    expect(new Set(units)).toEqual(new Set(["queries"]));
  });
});
