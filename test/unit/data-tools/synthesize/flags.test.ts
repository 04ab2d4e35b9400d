import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { type DataSynthesizeFlags, synthesizeOptions } from "../../../../src/commands/data-synthesize.js";

const options = (flags: Partial<DataSynthesizeFlags> = {}) =>
  synthesizeOptions("corpus.jsonl", { endpoint: "http://localhost:11434", model: "m", out: "made.jsonl", ...flags });

describe("the flags of data synthesize", () => {
  test("ask for one query of a thousand passages, with temperature and seed said", () => {
    expect(options()).toMatchObject({
      corpus: resolve("corpus.jsonl"),
      out: resolve("made.jsonl"),
      perPassage: 1,
      count: 1000,
      seed: 7,
      writer: { model: "m", temperature: 0.7, maxTokens: 1024, language: "auto", concurrency: 4 },
    });
    expect(options().writer.endpoint.address.shown).toBe("http://localhost:11434/v1/chat/completions");
    expect(options().judge).toBeUndefined();
  });

  test("want the first place of thirty candidates from a judge, unless told otherwise", () => {
    expect(options({ judge: "base" }).judge).toEqual({ folder: resolve("base"), keepTop: 1, depth: 30 });
    expect(options({ judge: "base", keepTop: "3", depth: "50", variant: "int8" }).judge).toEqual({
      folder: resolve("base"),
      keepTop: 3,
      depth: 50,
      variant: "int8",
    });
  });

  test.each<[string, Partial<DataSynthesizeFlags>]>([
    ["--keep-top", { keepTop: "3" }],
    ["--depth", { depth: "3" }],
    ["--per-passage", { perPassage: "0" }],
    ["--count", { count: "1.5" }],
    ["--seed", { seed: "-1" }],
    ["--temperature", { temperature: "hot" }],
    ["--temperature", { temperature: "" }],
    ["--endpoint", { endpoint: "localhost:11434" }],
    [".jsonl", { out: "made" }],
  ])("that make no sense are refused by name: %s", (name, flags) => {
    expect(() => options(flags)).toThrow(
      expect.objectContaining({ code: "USAGE", message: expect.stringContaining(name) }),
    );
  });
});
