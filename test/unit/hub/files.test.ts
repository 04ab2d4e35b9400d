import { describe, expect, test } from "vitest";
import { baseFiles, type HubFile, shardFiles } from "../../../src/hub/files.js";

const listing = (...paths: string[]): HubFile[] =>
  paths.map((path) => ({ path, size: 1, digest: { algorithm: "sha256", hex: "" } }));
const fetched = (...paths: string[]): string[] => baseFiles(listing(...paths), "a/b").map(({ path }) => path);

describe("the files of a base", () => {
  test("are data alone, weights last", () => {
    expect(
      fetched(
        "model.safetensors",
        "pytorch_model.bin",
        "modeling_x.py",
        "tokenizer.json",
        "config.json",
        "README.md",
        "onnx/model.onnx",
        "flax_model.msgpack",
      ),
    ).toEqual(["config.json", "tokenizer.json", "README.md", "model.safetensors"]);
  });

  test("with sharded weights begin with the index", () => {
    expect(
      fetched("config.json", "tokenizer.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors"),
    ).toEqual(["config.json", "tokenizer.json", "model.safetensors.index.json"]);
  });

  test("as a pickle only are refused by name", () => {
    expect(() => fetched("config.json", "tokenizer.json", "pytorch_model.bin")).toThrow(
      expect.objectContaining({ code: "MODEL_UNSUPPORTED", message: expect.stringContaining("pytorch_model.bin") }),
    );
  });

  test("without a fast tokenizer are refused", () => {
    expect(() => fetched("config.json", "vocab.txt", "model.safetensors")).toThrow(
      expect.objectContaining({ code: "MODEL_UNSUPPORTED", message: expect.stringContaining("tokenizer.json") }),
    );
  });
});

describe("the shards of an index", () => {
  const files = listing("model-1.safetensors", "model-2.safetensors", "evil.bin");
  const index = (...names: string[]): string =>
    JSON.stringify({ weight_map: Object.fromEntries(names.map((name, at) => [`w${at}`, name])) });

  test("are each fetched once", () => {
    expect(
      shardFiles(index("model-2.safetensors", "model-1.safetensors", "model-2.safetensors"), files, "a/b").map(
        ({ path }) => path,
      ),
    ).toEqual(["model-1.safetensors", "model-2.safetensors"]);
  });

  test.each(["../model-1.safetensors", "evil.bin", "model-9.safetensors"])("named %s are refused", (name) => {
    expect(() => shardFiles(index(name), files, "a/b")).toThrow(expect.objectContaining({ code: "MODEL_UNSUPPORTED" }));
  });
});
