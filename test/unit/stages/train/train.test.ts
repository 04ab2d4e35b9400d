import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { portableOptions } from "../../../../src/pipeline/key.js";
import type { ResolvedRecipe, StageContext, StageEvent } from "../../../../src/pipeline/stage.js";
import { recipeSchema } from "../../../../src/recipe/schema.js";
import { train } from "../../../../src/stages/train/index.js";
import { trainJob } from "../../../../src/stages/train/job.js";
import { trainSchema } from "../../../../src/stages/train/schema.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";

const RECIPE = {
  ...recipeSchema.parse({ schema: 1, name: "a", base_model: { path: "x" }, prepare: { source: "y" } }),
  base_dir: "/models/base",
  base_identity: "hub:owner/name@abc",
} as ResolvedRecipe;
const OPTIONS = train.options(RECIPE);

describe("the train job", () => {
  test("reads the base and the three splits of prepare", () => {
    expect(trainJob(OPTIONS, "/p").inputs).toEqual({
      base: "/models/base",
      train: join("/p", "groups.train.jsonl"),
      dev: join("/p", "groups.dev.jsonl"),
      test: join("/p", "groups.test.jsonl"),
    });
  });

  test("gets every field of the recipe's section and nothing about where the base lies", () => {
    expect(Object.keys(trainJob(OPTIONS, "/p").options).sort()).toEqual(Object.keys(trainSchema.shape).sort());
  });
});

describe("the train stage", () => {
  test("has a key that does not depend on where the base lies", () => {
    const moved = train.options({ ...RECIPE, base_dir: "/elsewhere" });
    expect(portableOptions(moved, train.sources(moved, RECIPE))).toEqual(
      portableOptions(OPTIONS, train.sources(OPTIONS, RECIPE)),
    );
  });

  test("counts the base model's files as a source", () => {
    expect(train.sources(OPTIONS, RECIPE)).toEqual([{ name: "base_model", path: "/models/base" }]);
  });

  test("keeps the partial folder of an interrupted run", () => {
    expect(train.resumable).toBe(true);
  });

  test("refuses outputs of another shape", async () => {
    const events: StageEvent[] = [];
    const worker = join(import.meta.dirname, "../../../fixtures/workers/happy.py");
    const context: StageContext = {
      outDir: await temporaryFolder(),
      resuming: true,
      signal: new AbortController().signal,
      emit: (event) => events.push(event),
      python: async () => ({ executable: process.env.RERANK_TUNE_TEST_PYTHON ?? "python3", worker, variables: {} }),
      now: () => new Date(0),
    };
    await expect(
      train.run(context, OPTIONS, { prepare: { dir: "/prepared", output: {}, digest: "p" } }),
    ).rejects.toMatchObject({ code: "WORKER_PROTOCOL" });
    expect(events).toContainEqual({ type: "note", message: "found the work of an interrupted run" });
  });
});
