import { describe, expect, test } from "vitest";
import { RerankTuneError } from "../../../src/errors.js";
import { parseRecipe, parseVerifySection } from "../../../src/recipe/parse.js";

const MINIMAL = "schema: 1\nname: demo\nbase_model: { path: base }\nprepare: { source: pairs.jsonl }\n";

function problemsOf(
  text: string,
  overrides: string[] = [],
): { at: string; path: string; message: string; hint?: string | undefined }[] {
  try {
    parseRecipe(text, { file: "demo.yaml", overrides });
  } catch (error) {
    if (!(error instanceof RerankTuneError) || error.code !== "RECIPE_INVALID") throw error;
    return error.problems.map(({ line, column, path, message, hint }) => ({
      at: `${line}:${column}`,
      path: path ?? "",
      message,
      hint,
    }));
  }
  throw new Error("the recipe should be refused");
}

describe("a valid recipe", () => {
  test("is completed with defaults", () => {
    const recipe = parseRecipe(MINIMAL, { file: "demo.yaml" });
    expect(recipe.train).toMatchObject({ learning_rate: "auto", group_size: 8, queries_per_step: 16 });
    expect(recipe.verify.gates.ndcg_max_drop).toBe(0.005);
  });

  test("takes overrides as YAML values, also for sections it does not write down", () => {
    const recipe = parseRecipe(MINIMAL, {
      file: "demo.yaml",
      overrides: ["train.epochs=2", "verify.providers=[cpu]", "train.learning_rate=3e-5"],
    });
    expect([recipe.train.epochs, recipe.verify.providers, recipe.train.learning_rate]).toEqual([2, ["cpu"], 3e-5]);
  });
});

describe("an invalid recipe", () => {
  test("names all problems at once, each with its line and column", () => {
    const text = `${MINIMAL}train:\n  epochs: three\n  lerning_rate: 1e-5\nquantise: {}\n`;
    expect(problemsOf(text)).toEqual([
      { at: "6:3", path: "train.epochs", message: "Invalid input: expected number, received string", hint: undefined },
      {
        at: "7:3",
        path: "train.lerning_rate",
        message: '"lerning_rate" is not a field here',
        hint: "did you mean `learning_rate`?",
      },
      { at: "8:1", path: "quantise", message: '"quantise" is not a field here', hint: "did you mean `quantize`?" },
    ]);
  });

  test("suggests the nearest value of a choice", () => {
    expect(problemsOf(`${MINIMAL}train: { precision: bf-16 }\n`)).toMatchObject([
      { at: "5:10", path: "train.precision", hint: "did you mean `bf16`?" },
    ]);
  });

  test("points to the enclosing field when the problem is something missing", () => {
    expect(problemsOf("schema: 1\nname: demo\nbase_model: {}\nprepare: { source: x }\n")).toMatchObject([
      { at: "3:1", path: "base_model" },
    ]);
  });

  test("names broken YAML with its line", () => {
    expect(problemsOf("schema: 1\nname: [demo\n")[0]).toMatchObject({
      at: expect.stringMatching(/^[23]:/),
      path: "yaml",
    });
  });

  test("checks overrides like written fields", () => {
    expect(problemsOf(MINIMAL, ["train.group_size=1"])).toMatchObject([{ path: "train.group_size" }]);
  });

  test("points to a language whose letters nobody knows", () => {
    expect(problemsOf(`${MINIMAL}trim:\n  languages: [de, xx]\n`)).toMatchObject([
      { at: "6:3", path: "trim.languages.1", message: expect.stringContaining('"xx"') },
    ]);
    const recipe = parseRecipe(`${MINIMAL}trim: { languages: [de, zh-Hant] }\n`, { file: "demo.yaml" });
    expect(recipe.trim).toEqual({ languages: ["de", "zh-Hant"], keep: "characters" });
  });

  test("refuses an override without a value", () => {
    expect(() => parseRecipe(MINIMAL, { file: "demo.yaml", overrides: ["train.epochs"] })).toThrow(/not key=value/);
  });

  test("that is empty says what is required", () => {
    expect(problemsOf("").map(({ path }) => path)).toEqual(["schema", "name", "base_model", "prepare"]);
  });
});

describe("rules between fields", () => {
  test.each([
    ["a run as candidates needs a run file", "prepare.candidates.from=run", "prepare.candidates.from"],
    ["a group needs as many negatives as it holds", "prepare.negatives.per_query=3", "prepare.negatives.per_query"],
    ["random negatives are among the negatives", "prepare.negatives.random=30", "prepare.negatives.random"],
    ["one base is enough", "base_model.repo=a/b", "base_model"],
    ["one source is enough", "prepare.builtin=icd-10-cm", "prepare"],
  ])("%s", (_rule, override, path) => {
    expect(problemsOf(MINIMAL, [override])).toMatchObject([{ path }]);
  });
});

describe("adapters", () => {
  test("are refused with the learning rate of full training, and pass with their own", () => {
    expect(problemsOf(MINIMAL, ["train.lora={}", "train.learning_rate=1e-5"])).toMatchObject([
      { path: "train.learning_rate" },
    ]);
    expect(parseRecipe(MINIMAL, { file: "demo.yaml", overrides: ["train.lora={}"] }).train.learning_rate).toBe("auto");
    const { train } = parseRecipe(MINIMAL, {
      file: "demo.yaml",
      overrides: ["train.lora={}", "train.learning_rate=1e-4"],
    });
    expect(train.lora).toMatchObject({ rank: 16, alpha: 32 });
  });
});

describe("a student", () => {
  const parse = (...overrides: string[]) => parseRecipe(MINIMAL, { file: "demo.yaml", overrides }).train.student;

  test("needs no more than its layers, by number or by name", () => {
    expect(parse("train.student.layers=6")).toEqual({ layers: 6, loss: "kl", weight: 1 });
    expect(parse("train.student.keep=[0, 5, 11]")).toEqual({ keep: [0, 5, 11], loss: "kl", weight: 1 });
    expect(parse()).toBeNull();
  });

  test("needs exactly one of the two", () => {
    for (const student of ["{}", "{ layers: 2, keep: [0, 1] }"])
      expect(problemsOf(MINIMAL, [`train.student=${student}`])).toMatchObject([{ path: "train.student" }]);
  });

  test.each([
    ["train.lora={}", "train.lora"],
    ["train.kl_to_base=0.1", "train.kl_to_base"],
    ["train.loss=kl", "train.loss"],
    ["train.loss=margin_mse", "train.loss"],
  ])("does not go with %s, by name", (override, path) => {
    expect(problemsOf(MINIMAL, ["train.student={ layers: 2 }", override])).toMatchObject([
      { path, message: expect.stringContaining("does not go with `train.student`") },
    ]);
  });
});

describe("the verify section of a packaged model", () => {
  const file = "model/rerank-tune.json";

  test("is what the folder carries, completed, with overrides on top", () => {
    const section = parseVerifySection(
      { gates: { ndcg_max_drop: 0.02 } },
      { file, overrides: ["verify.providers=[cpu]"] },
    );
    expect([section.gates.ndcg_max_drop, section.providers]).toEqual([0.02, ["cpu"]]);
    expect(parseVerifySection(undefined, { file }).gates.ndcg_max_drop).toBe(0.005);
  });

  test.each([
    ["verify.gates.ndcg_max_dorp=1", { path: "verify.gates.ndcg_max_dorp", hint: "did you mean `ndcg_max_drop`?" }],
    ["train.epochs=2", { path: "train" }],
  ])("refuses the override %s", (override, problem) => {
    expect(() => parseVerifySection({}, { file, overrides: [override] })).toThrow(
      expect.objectContaining({ code: "RECIPE_INVALID", problems: [expect.objectContaining(problem)] }),
    );
  });
});
