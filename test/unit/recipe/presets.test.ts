import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { recipeText } from "../../../src/commands/init.js";
import { parseRecipe } from "../../../src/recipe/parse.js";
import { PRESETS, type Preset } from "../../../src/recipe/presets.js";
import type { Recipe } from "../../../src/recipe/schema.js";

const FILE = "/runs/r/recipe.yaml";
const RECIPES = join(import.meta.dirname, "../../../recipes");
const text = (preset: Preset) => recipeText(FILE, { data: "/runs/r/pairs.jsonl", preset: preset.name });
const parsed = (preset: Preset): Recipe => parseRecipe(text(preset), { file: FILE });

function preset(name: string): Preset {
  const found = PRESETS.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no preset ${name}`);
  return found;
}

describe("presets", () => {
  test("are those that users were promised", () => {
    expect(PRESETS.map(({ name, base }) => [name, base])).toEqual([
      ["bge-m3-full", "BAAI/bge-reranker-v2-m3"],
      ["bge-m3-lora", "BAAI/bge-reranker-v2-m3"],
      ["bge-m3-flagembedding", "BAAI/bge-reranker-v2-m3"],
      ["minilm-l6", "cross-encoder/ms-marco-MiniLM-L6-v2"],
      ["minilm-l12", "cross-encoder/ms-marco-MiniLM-L12-v2"],
      ["bge-base", "BAAI/bge-reranker-base"],
      ["gte-modernbert", "Alibaba-NLP/gte-reranker-modernbert-base"],
      ["multilingual-minilm", "cross-encoder/mmarco-mMiniLMv2-L12-H384-v1"],
    ]);
  });

  test("of one base give recipes of different names", () => {
    const names = PRESETS.map((each) => parsed(each).name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe.each(PRESETS)("the recipe of the preset $name", (each) => {
  test("is valid and holds every setting, each once and with its reason", () => {
    const recipe = parsed(each);
    expect(recipe.base_model).toMatchObject({ repo: each.base });
    expect(recipe.package).toMatchObject({ license: each.license, languages: each.languages });
    for (const { field, yaml, why } of each.settings) expect(text(each)).toContain(`  ${field}: ${yaml} # ${why}\n`);
    expect(new Set(each.settings.map(({ field }) => field)).size).toBe(each.settings.length);
    expect(each.settings.filter(({ why }) => why.length < 5)).toEqual([]);
  });

  test("says when to take it and on what hardware", () => {
    expect(text(each)).toContain(`# ${each.when}\n# hardware: ${each.hardware}\n`);
    expect(each.when).toMatch(/^[A-Z].*\.$/);
  });

  test("keeps every guard on", () => {
    const { train } = parsed(each);
    expect(train.interpolate.enabled).toBe(true);
    expect([train.evaluations >= 6, train.patience <= 3, train.evaluation_queries >= 200]).toEqual([true, true, true]);
  });

  test("stays at or under the learning rate that large rerankers stand, but where upstream's is the point", () => {
    const { train } = parsed(each);
    const ceiling = train.lora === null ? 3e-5 : 3e-4;
    const rate = train.learning_rate === "auto" ? 0 : train.learning_rate;
    expect(rate <= ceiling).toBe(each.name !== "bge-m3-flagembedding");
  });
});

describe("the preset bge-m3-flagembedding", () => {
  test("is what FlagEmbedding's example says for bge-reranker-v2-m3", () => {
    expect(parsed(preset("bge-m3-flagembedding")).train).toMatchObject({
      loss: "group_ce",
      learning_rate: 6e-5,
      epochs: 2,
      queries_per_step: 4,
      group_size: 8,
      max_length: 1024,
      bce_weight: 0,
      dropout: true,
      freeze_embeddings: false,
      freeze_layers: 0,
      weight_decay: 0.01,
      warmup_ratio: 0.1,
      gradient_checkpointing: true,
      lora: null,
    });
  });
});

describe("a recipe in recipes/ that names a preset", () => {
  const files = readdirSync(RECIPES).filter((name) => name.endsWith(".yaml"));
  const named = files.flatMap((file) => {
    const found = /^# preset: {3}(\S+)$/m.exec(readFileSync(join(RECIPES, file), "utf8"))?.[1];
    return found === undefined ? [] : [{ file, name: found }];
  });

  test("is most of them", () => {
    expect(named.length).toBeGreaterThanOrEqual(5);
  });

  test.each(named)("$file has the base, licence and settings of $name, but for its length", ({ file, name }) => {
    const recipe = parseRecipe(readFileSync(join(RECIPES, file), "utf8"), { file });
    const wanted = parsed(preset(name));
    expect(recipe.base_model).toEqual(wanted.base_model);
    expect(recipe.package.license).toBe(wanted.package.license);
    expect({ ...recipe.train, max_length: 0 }).toEqual({ ...wanted.train, max_length: 0 });
  });
});
