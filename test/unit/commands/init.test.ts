import { describe, expect, test } from "vitest";
import { recipeText } from "../../../src/commands/init.js";
import { parseRecipe } from "../../../src/recipe/parse.js";

const FILE = "/runs/r/recipe.yaml";
const parsed = (data: string, base: string, file = FILE) => parseRecipe(recipeText(file, { data, base }), { file });
const withPreset = (preset: string, flags: { base?: string } = {}) =>
  parseRecipe(recipeText(FILE, { data: "/runs/r/our pairs.jsonl", preset, ...flags }), { file: FILE });

describe("the recipe that init writes", () => {
  test("names a Hub repository by repo, anything else by path relative to the recipe", () => {
    expect(parsed("/runs/r/d.jsonl", "BAAI/bge-reranker-base").base_model).toMatchObject({
      repo: "BAAI/bge-reranker-base",
    });
    expect(parsed("/runs/r/d.jsonl", "/runs/models/minilm").base_model).toMatchObject({ path: "../models/minilm" });
  });

  test("names the data relative to itself", () => {
    expect(parsed("/runs/data/our pairs.jsonl", "a/b").prepare.source).toBe("../data/our pairs.jsonl");
  });

  test.each(['/runs/r/it\'s "quoted" #1: ü.csv', "/runs/r/-", "/runs/r/{a}.tsv", "/runs/r/日本.jsonl"])(
    "stands any file name: %s",
    (data) => {
      expect(parsed(data, "a/b").prepare.source).toBe(data.replace("/runs/r/", ""));
    },
  );
});

describe("the recipe that init writes without a preset", () => {
  test("starts from bge-reranker-v2-m3 with our defaults", () => {
    const recipe = parseRecipe(recipeText(FILE, { data: "/runs/r/d.jsonl" }), { file: FILE });
    expect(recipe).toMatchObject({
      name: "bge-reranker-v2-m3-d-ce",
      base_model: { repo: "BAAI/bge-reranker-v2-m3" },
      train: { learning_rate: "auto", epochs: 3, max_length: 256, lora: null },
      package: { languages: [] },
    });
  });
});

describe("the recipe that init writes from a preset", () => {
  test("is named after base, data and variant", () => {
    expect(withPreset("minilm-l6").name).toBe("ms-marco-minilm-l6-v2-our-pairs-ce");
    expect(withPreset("bge-m3-lora").name).toBe("bge-reranker-v2-m3-our-pairs-lora-ce");
  });

  test("keeps the settings for a copy of its base on disk", () => {
    const recipe = withPreset("bge-m3-lora", { base: "/runs/models/bge" });
    expect(recipe.base_model).toMatchObject({ path: "../models/bge" });
    expect(recipe.train).toMatchObject({ lora: { rank: 16 }, learning_rate: 1.5e-4 });
  });

  test("has a name that fits, however long base and data are called", () => {
    const base = `/runs/${"b".repeat(60)}`;
    const long = recipeText(FILE, { data: `/runs/r/${"d".repeat(60)}.csv`, base, preset: "bge-m3-flagembedding" });
    expect(parseRecipe(long, { file: FILE }).name).toMatch(/-upstream-ce$/);
  });

  test.each([
    ["bge-m3-lorra", "did you mean `--preset bge-m3-lora`?"],
    ["qwen", "see them all: `rerank-tune presets`"],
  ])("is refused for the unknown name %s with a way out", (name, hint) => {
    expect(() => withPreset(name)).toThrow(expect.objectContaining({ code: "USAGE", hint }));
  });
});
