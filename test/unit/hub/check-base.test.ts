import { readFileSync } from "node:fs";
import { rename, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { validate } from "../../../src/commands/validate.js";
import { PACKAGE_ROOT } from "../../../src/environment/package-root.js";
import { PAD_OF_TYPE } from "../../../src/hub/base-config.js";
import { checkBase } from "../../../src/hub/check-base.js";
import { loadRecipe } from "../../../src/recipe/load.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";
import { type Change, type Parts, writeModel } from "../lint/model-files.js";

const STRICT = { custom_code: "refuse", replace_head: false } as const;

async function baseWith(change: Change): Promise<string> {
  const folder = join(await temporaryFolder(), "base");
  await writeModel(folder, change);
  return folder;
}

/** The problems of a base with one change, each as `file: message`, with the hint of the first. */
async function refused(change: Change, allowed: Parameters<typeof checkBase>[1] = STRICT) {
  const folder = await baseWith(change);
  const error = await checkBase(folder, allowed).then(
    () => undefined,
    (thrown) => thrown,
  );
  const problems: string[] = (error?.problems ?? []).map(
    ({ file, message }: { file: string; message: string }) => `${file.slice(folder.length + 1)}: ${message}`,
  );
  return { code: error?.code, message: String(error?.message), hint: String(error?.hint), problems, folder };
}

const config = (changes: Record<string, unknown>): Change => {
  return (parts: Parts) => void Object.assign(parts.config, changes);
};

describe("a base", () => {
  test("that is a classifier of one label passes", async () => {
    expect((await refused(() => undefined)).code).toBeUndefined();
  });

  test("that is a plain encoder passes: train draws its head", async () => {
    const changes = { architectures: ["BertForMaskedLM"], id2label: undefined, label2id: undefined };
    expect((await refused(config(changes))).code).toBeUndefined();
  });

  test.each([
    ["a decoder", { model_type: "qwen3", architectures: ["Qwen3ForCausalLM"] }, "Qwen3ForCausalLM", "modernbert"],
    ["without a model_type", { model_type: undefined }, "model_type null", "xlm-roberta"],
    [
      "a head for tokens",
      { architectures: ["BertForTokenClassification"] },
      "neither a sequence classifier",
      "one label",
    ],
    ["two labels", { id2label: { 0: "NO", 1: "YES" } }, "has 2 labels", "replace_head=true"],
    ["no labels said, so two", { id2label: undefined, label2id: undefined }, "has 2 labels", "replace_head=true"],
    ["a pad token beyond the table", { pad_token_id: 32 }, "pad_token_id 32", "tokenizer.json"],
    ["a negative pad token", { pad_token_id: -1 }, "pad_token_id -1", "tokenizer.json"],
    ["code of its own", { auto_map: { AutoModel: "modeling.Other" } }, "AutoModel", "custom_code=ignore"],
  ])("with %s is refused by file and with a way out", async (_title, changes, message, hint) => {
    const found = await refused(config(changes));
    expect(found.code).toBe("MODEL_UNSUPPORTED");
    expect(found.problems).toHaveLength(1);
    expect(found.problems[0]).toContain("config.json: ");
    expect(found.message).toContain(message);
    expect(found.hint).toContain(hint);
  });

  test("without a pad token anywhere is refused", async () => {
    const found = await refused((parts) => {
      parts.config.pad_token_id = null;
      parts.tokenizerConfig.pad_token = undefined;
      parts.tokenizer.added_tokens = parts.tokenizer.added_tokens.slice(1);
      delete parts.tokenizer.model.vocab["[PAD]"];
    });
    expect(found.problems).toEqual(["config.json: has no pad_token_id, and tokenizer.json has no pad token"]);
  });

  test("that names no pad_token_id is told the one of its tokenizer, unless transformers takes it by itself", async () => {
    const moved = await refused((parts) => {
      parts.config.pad_token_id = null;
      parts.tokenizer.added_tokens[0].id = 7;
    });
    expect(moved.hint).toBe('add "pad_token_id": 7, the id of [PAD] in tokenizer.json');
    expect((await refused(config({ pad_token_id: undefined }))).code).toBeUndefined();
  });

  test("with code in its tokenizer or its modules is refused as well", async () => {
    const found = await refused((parts) => {
      parts.tokenizerConfig.auto_map = { AutoTokenizer: ["tokenization.Other", null] };
      parts.modules.push({ idx: 1, name: "1", path: "", type: "custom.Pooling" });
    });
    expect(found.problems.map((line) => line.split(":")[0])).toEqual(["tokenizer_config.json", "modules.json"]);
    expect(found.message).toMatch(/, and 1 more\.$/);
  });

  test("may name code that is ignored, and have labels that are replaced, where the recipe says so", async () => {
    const changes = { auto_map: { AutoModel: "modeling.Other" }, id2label: { 0: "NO", 1: "YES" } };
    expect((await refused(config(changes), { custom_code: "ignore", replace_head: true })).code).toBeUndefined();
    expect((await refused(config(changes), { custom_code: "ignore", replace_head: false })).problems).toHaveLength(1);
  });

  test.each(["config.json", "tokenizer.json", "model.safetensors"])("without %s is not found", async (name) => {
    const found = await refused((parts) => void Object.assign(parts.files, { [name]: null }));
    expect(found).toMatchObject({ code: "MODEL_NOT_FOUND", problems: [`${name}: is missing`] });
  });

  test("whose config.json is no JSON is refused", async () => {
    const found = await refused((parts) => void Object.assign(parts.files, { "config.json": "{" }));
    expect(found.problems[0]).toBe("config.json: is no JSON");
  });

  test("the types are those that the worker knows", () => {
    const python = readFileSync(join(PACKAGE_ROOT, "python/rerank_tune_worker/base_model.py"), "utf8");
    const pads = /^PAD_IDS = (\{.*\})$/m.exec(python)?.[1] ?? "";
    expect(JSON.parse(pads)).toEqual(PAD_OF_TYPE);
  });
});

describe("weights", () => {
  const WEIGHTS = "model.safetensors";

  test("as a pickle alone are refused", async () => {
    const folder = await baseWith(() => undefined);
    await rename(join(folder, WEIGHTS), join(folder, "pytorch_model.bin"));
    await expect(checkBase(folder, STRICT)).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining("pytorch_model.bin is a pickle"),
      hint: expect.stringContaining("save_pretrained"),
    });
  });

  test.each([
    ["cut off in a tensor", 6000, "cut off or damaged"],
    ["cut off in its header", 100, "cut off inside its header"],
    ["of four bytes", 4, "fewer than a header"],
  ])("%s are refused by name", async (_title, bytes, message) => {
    const folder = await baseWith(() => undefined);
    await truncate(join(folder, WEIGHTS), bytes);
    await expect(checkBase(folder, STRICT)).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining(message),
      hint: expect.stringContaining("sha256"),
    });
  });

  test.each([
    ["is no header", "x".repeat(64), "does not begin with the length"],
    ["is git's stand-in", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "stand-in"],
    ["gives a tensor bytes that its shape does not need", tensors({ a: ["F32", [2], 0, 4] }), "damaged"],
    ["gives two tensors the same bytes", tensors({ a: ["F32", [2], 0, 8], b: ["F32", [2], 0, 8] }), "damaged"],
  ])("whose file %s are refused", async (_title, content, message) => {
    const found = await refused((parts) => void Object.assign(parts.files, { [WEIGHTS]: content }));
    expect(found.problems[0]).toContain(message);
  });

  test("in shards are looked at one by one", async () => {
    const index = { weight_map: { a: "model-1.safetensors", b: "model-2.safetensors", c: "../../etc/passwd" } };
    const found = await refused((parts) => {
      parts.files[WEIGHTS] = null;
      parts.files["model.safetensors.index.json"] = JSON.stringify(index);
      parts.files["model-1.safetensors"] = "short";
    });
    expect(found.problems).toEqual([
      'model.safetensors.index.json: names "../../etc/passwd", which is no file beside it',
      "model-1.safetensors: has 5 bytes, fewer than a header",
      "model-2.safetensors: is missing, and model.safetensors.index.json names it",
    ]);
  });

  /** A file whose header says this and that has as many zeros as its last tensor needs. */
  function tensors(said: Record<string, [string, number[], number, number]>): Buffer {
    const entries = Object.entries(said).map(([name, [dtype, shape, ...data_offsets]]) => [
      name,
      { dtype, shape, data_offsets },
    ]);
    const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const end = Math.max(...Object.values(said).map(([, , , to]) => to));
    return Buffer.concat([length, header, Buffer.alloc(end)]);
  }
});

describe("a recipe", () => {
  async function recipeWith(change: Change): Promise<string> {
    const folder = await temporaryFolder();
    await writeModel(join(folder, "base"), change);
    const file = join(folder, "recipe.yaml");
    await writeFile(file, "schema: 1\nname: x\nbase_model: { path: base }\nprepare: { source: pairs.jsonl }\n");
    return file;
  }

  test("with a base that cannot be trained does not validate", async () => {
    const file = await recipeWith(config({ id2label: { 0: "NO", 1: "YES" } }));
    await expect(validate(file, [])).rejects.toMatchObject({ code: "MODEL_UNSUPPORTED" });
    expect((await validate(file, ["base_model.replace_head=true"])).data).toMatchObject({ base: "sound" });
  });

  test("whose base is not here or is fetched later validates and says so", async () => {
    const file = await recipeWith(() => undefined);
    expect((await validate(file, ["base_model.path=elsewhere"])).data).toMatchObject({ base: "absent" });
    await writeFile(file, "schema: 1\nname: x\nbase_model: { repo: a/b }\nprepare: { source: pairs.jsonl }\n");
    expect((await validate(file, [])).data).toMatchObject({ base: "elsewhere" });
  });

  test("is not run on such a base either, and needs no Python to say so", async () => {
    const file = await recipeWith((parts) => void Object.assign(parts.files, { "model.safetensors": "short" }));
    const options = {
      overrides: [],
      registryDir: "registry",
      home: await temporaryFolder(),
      python: () => Promise.reject(new Error("no Python is needed")),
      emit: () => undefined,
      signal: new AbortController().signal,
    };
    await expect(loadRecipe(file, options)).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining("model.safetensors has 5 bytes"),
    });
  });
});
