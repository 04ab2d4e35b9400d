import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { recipeJsonSchema } from "../../../src/recipe/json-schema.js";
import { parseRecipe } from "../../../src/recipe/parse.js";
import { recipeSchema } from "../../../src/recipe/schema.js";

const RECIPES = join(import.meta.dirname, "../../../recipes");

describe("recipes/recipe.schema.json", () => {
  test("is what the schema generates (npm run generate rewrites it)", async () => {
    await expect(recipeJsonSchema()).toMatchFileSnapshot(join(RECIPES, "recipe.schema.json"));
  });

  test("describes every field", () => {
    const silent: string[] = [];
    const walk = (schema: { properties?: Record<string, Record<string, unknown>> }, path: string): void => {
      for (const [name, field] of Object.entries(schema.properties ?? {})) {
        if (field.description === undefined && field.properties === undefined) silent.push(`${path}${name}`);
        walk(field, `${path}${name}.`);
      }
    };
    walk(z.toJSONSchema(recipeSchema, { io: "input" }) as Parameters<typeof walk>[0], "");
    expect(silent).toEqual([]);
  });
});

describe("every recipe in recipes/", () => {
  const names = readdirSync(RECIPES, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".yaml"));

  test.each(names)("%s is valid, is named after its file and says how to run it", (name) => {
    const text = readFileSync(join(RECIPES, name), "utf8");
    const recipe = parseRecipe(text, { file: name });
    expect(`${recipe.name}.yaml`).toBe(name);
    expect(text).toMatch(/^# .*\n(# .*\n)*# run: {6}rerank-tune /);
  });
});
