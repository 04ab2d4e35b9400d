import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { type DataScoreFlags, scoreOptions } from "../../../../src/commands/data-score.js";

const options = (flags: Partial<DataScoreFlags>) =>
  scoreOptions("groups.jsonl", { teacher: "./big", out: "scored.jsonl", ...flags });

function teacherAt(teacher: string, flags: Partial<DataScoreFlags> = {}) {
  const found = options({ teacher, ...flags }).teacher;
  if ("folder" in found) throw new Error("an address became a folder");
  return found;
}

describe("the flags of data score", () => {
  test("take a path for a folder", () => {
    expect(options({ variant: "int8", maxLength: "512" })).toEqual({
      source: "groups.jsonl",
      format: "auto",
      out: resolve("scored.jsonl"),
      resume: false,
      teacher: { folder: resolve("./big"), variant: "int8", maxLength: 512 },
    });
  });

  test("take a table of scores beside the groups or instead of them, and one of the two there must be", () => {
    expect(options({ scores: "base.tsv" })).toMatchObject({
      out: resolve("scored.jsonl"),
      scores: resolve("base.tsv"),
    });
    const alone = scoreOptions("groups.jsonl", { teacher: "./big", scores: "base.tsv" });
    expect(alone).not.toHaveProperty("out");
    expect(() => scoreOptions("groups.jsonl", { teacher: "./big" })).toThrow(
      expect.objectContaining({ code: "USAGE", hint: expect.stringContaining("--scores base.tsv") }),
    );
  });

  test("take an address for a server, with 32 passages a request and four requests at once", () => {
    const teacher = teacherAt("http://localhost:8080");
    expect(teacher).toMatchObject({ api: "tei", batch: 32, concurrency: 4, toLogits: false });
    expect(teacher.endpoint).toMatchObject({ allowRemote: false, timeoutMs: 120_000 });
    expect(teacher.endpoint.address.shown).toBe("http://localhost:8080/rerank");
  });

  test.each([
    ["http://localhost:8000/v1", "rerank", "http://localhost:8000/v1/rerank"],
    ["http://localhost:8000/v2/rerank", "rerank", "http://localhost:8000/v2/rerank"],
    ["http://localhost:8000/tei/rerank", "tei", "http://localhost:8000/tei/rerank"],
  ])("tell the interface of %s by its version", (given, api, shown) => {
    const teacher = teacherAt(given);
    expect([teacher.api, teacher.endpoint.address.shown]).toEqual([api, shown]);
  });

  test("take the interface that is named", () => {
    const teacher = teacherAt("http://localhost:8000", { api: "rerank", teacherModel: "big", toLogits: true });
    expect(teacher).toMatchObject({ api: "rerank", model: "big", toLogits: true });
    expect(teacher.endpoint.address.shown).toBe("http://localhost:8000/v1/rerank");
  });

  test.each<[string, Partial<DataScoreFlags>]>([
    ["--api", { api: "tei" }],
    ["--allow-remote", { allowRemote: true }],
    ["--token-env", { tokenEnv: "T" }],
    ["--variant", { teacher: "http://localhost", variant: "int8" }],
    ["--max-length", { teacher: "http://localhost", maxLength: "512" }],
    ["--teacher-model", { teacher: "http://localhost", teacherModel: "m" }],
    ["--batch", { teacher: "http://localhost", batch: "0" }],
    ["--timeout", { teacher: "http://localhost", timeout: "1e3" }],
    ["--concurrency", { teacher: "http://localhost", concurrency: "many" }],
    [".jsonl", { out: "scored.csv" }],
    [".tsv", { scores: "scored.jsonl" }],
    ["--teacher", { teacher: "ftp://localhost" }],
  ])("that make no sense are refused by name: %s", (name, flags) => {
    expect(() => options(flags)).toThrow(
      expect.objectContaining({ code: "USAGE", message: expect.stringContaining(name) }),
    );
  });
});
