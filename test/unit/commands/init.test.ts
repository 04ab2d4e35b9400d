import { describe, expect, test } from "vitest";
import { recipeText } from "../../../src/commands/init.js";
import { parseRecipe } from "../../../src/recipe/parse.js";

const parsed = (data: string, base: string, file = "/runs/r/recipe.yaml") =>
  parseRecipe(recipeText(file, { data, base }), { file });

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
