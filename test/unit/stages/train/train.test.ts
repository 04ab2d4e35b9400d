import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { StageEvent } from "../../../../src/events.js";
import { portableOptions } from "../../../../src/pipeline/key.js";
import type { ResolvedRecipe, StageContext } from "../../../../src/pipeline/stage.js";
import { parseRecipe } from "../../../../src/recipe/parse.js";
import { recipeSchema } from "../../../../src/recipe/schema.js";
import { train } from "../../../../src/stages/train/index.js";
import { guardSets, trainJob } from "../../../../src/stages/train/job.js";
import { keptWeights, type TrainOutput } from "../../../../src/stages/train/output.js";
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
    expect(trainJob(OPTIONS, "/p", []).inputs).toEqual({
      base: "/models/base",
      train: join("/p", "groups.train.jsonl"),
      dev: join("/p", "groups.dev.jsonl"),
      test: join("/p", "groups.test.jsonl"),
    });
  });

  test("gets every field of the recipe's section and nothing about where the base lies", () => {
    expect(Object.keys(trainJob(OPTIONS, "/p", []).options).sort()).toEqual(Object.keys(trainSchema.shape).sort());
  });
});

describe("guard sets", () => {
  test("are the groups files in the folder `guards` of prepare, by name", async () => {
    const dataset = await temporaryFolder();
    await mkdir(join(dataset, "guards"));
    for (const name of ["news.jsonl", "german-law.jsonl", "README.md", ".hidden.jsonl"])
      await writeFile(join(dataset, "guards", name), "");
    expect(await guardSets(dataset)).toEqual(["german-law", "news"]);
  });

  test("are none where prepare made no such folder", async () => {
    expect(await guardSets(await temporaryFolder())).toEqual([]);
  });

  test("become inputs under names of their own", () => {
    expect(trainJob(OPTIONS, "/p", ["german-law", "news"]).inputs).toMatchObject({
      test: join("/p", "groups.test.jsonl"),
      "guard-german-law": join("/p", "guards", "german-law.jsonl"),
      "guard-news": join("/p", "guards", "news.jsonl"),
    });
  });
});

describe("the options of training", () => {
  const accepted = (section: object) => trainSchema.safeParse(section).success;

  test("ask by default for what the first release did", () => {
    expect(trainSchema.parse({})).toMatchObject({
      loss: "group_ce",
      bce_weight: 0.2,
      teacher_temperature: 1,
      kl_to_base: 0,
      freeze_layers: 0,
    });
  });

  test("mix a tuned reranker with its base, and leave adapters, calibration and checkpointing to be asked for", () => {
    expect(trainSchema.parse({})).toMatchObject({
      interpolate: { enabled: true, alphas: [1, 0.7, 0.5, 0.3], guard_max_drop: 0.01 },
      lora: null,
      calibrate: false,
      gradient_checkpointing: false,
    });
  });

  test("complete adapters that are asked for", () => {
    expect(trainSchema.parse({ lora: {} }).lora).toEqual({ rank: 16, alpha: 32, targets: "all" });
    expect(trainSchema.parse({ lora: { rank: 4, targets: "mlp" } }).lora).toEqual({
      rank: 4,
      alpha: 32,
      targets: "mlp",
    });
    expect(accepted({ lora: { targets: "head" } })).toBe(false);
    expect(accepted({ lora: { rank: 0 } })).toBe(false);
    expect(accepted({ lora: { dropout: 0.1 } })).toBe(false);
  });

  test("refuse shares outside the way from base to tuned", () => {
    for (const alphas of [[], [0], [1.1], [-0.5]]) expect(accepted({ interpolate: { alphas } })).toBe(false);
    expect(accepted({ interpolate: { guard_max_drop: -0.01 } })).toBe(false);
    expect(accepted({ interpolate: { enabled: false } })).toBe(true);
  });

  test("know six losses and no other", () => {
    for (const loss of ["group_ce", "bce", "lambda", "ranknet", "margin_mse", "kl"])
      expect(trainSchema.parse({ loss }).loss).toBe(loss);
    expect(accepted({ loss: "hinge" })).toBe(false);
  });

  test("refuse what makes no sense for any base", () => {
    expect(accepted({ teacher_temperature: 0 })).toBe(false);
    expect(accepted({ kl_to_base: -0.1 })).toBe(false);
    expect(accepted({ freeze_layers: -1 })).toBe(false);
    expect(accepted({ freeze_layers: 1.5 })).toBe(false);
  });

  test("train once, and leave the size of micro-batches to the machine", () => {
    expect(trainSchema.parse({})).toMatchObject({ seeds: 1, micro_batch_tokens: "auto" });
    expect(trainSchema.parse({ micro_batch_tokens: 2048, seeds: 3 })).toMatchObject({
      micro_batch_tokens: 2048,
      seeds: 3,
    });
    for (const seeds of [0, 9, 1.5]) expect(accepted({ seeds })).toBe(false);
  });

  test.each([
    ["64", "must be `auto` or at least 128"],
    ["atuo", "must be `auto` or a whole number of tokens, from 128"],
    ["200.5", "must be `auto` or a whole number of tokens, from 128"],
  ])("say what micro_batch_tokens may be instead of %s", (value, message) => {
    const text = "schema: 1\nname: a\nbase_model: { path: x }\nprepare: { source: y }\n";
    expect(() => parseRecipe(text, { file: "r.yaml", overrides: [`train.micro_batch_tokens=${value}`] })).toThrow(
      expect.objectContaining({ problems: [expect.objectContaining({ message })] }),
    );
  });

  test("reach the worker under their own names", () => {
    const options = { ...OPTIONS, loss: "kl", teacher_temperature: 2, kl_to_base: 0.3, freeze_layers: 6 } as const;
    expect(trainJob(options, "/p", []).options).toMatchObject({
      loss: "kl",
      teacher_temperature: 2,
      kl_to_base: 0.3,
      freeze_layers: 6,
    });
  });
});

describe("what is said of the kept weights", () => {
  const output = { best_step: 40, steps: 60, ended: "early_stop", seeds: null } as TrainOutput;
  const seeds = {
    runs: [7, 8, 9].map((seed) => ({ seed, steps: 60, best_step: 40, dev_ndcg_at_10: 0.5, ended: "finished" })),
    mean: 0.5,
    standard_deviation: 0,
    best_seed: 8,
    averaged: [7, 8],
    average_dev_ndcg_at_10: 0.51,
  };

  test("is the step of one seed", () => {
    expect(keptWeights(output)).toBe("at step 40 of 60 (early_stop)");
  });

  test("is the average, or the best of several seeds", () => {
    expect(keptWeights({ ...output, seeds: { ...seeds, kept: "average" } })).toBe("with the average of seeds 7, 8");
    expect(keptWeights({ ...output, seeds: { ...seeds, kept: "seed" } })).toBe(
      "with seed 8, the best of 3, at step 40 of 60 (early_stop)",
    );
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
