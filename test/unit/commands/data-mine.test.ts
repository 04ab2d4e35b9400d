import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dataMine, mineOptions } from "../../../src/commands/data-mine.js";
import { folderPerTest } from "../../helpers/folder-per-test.js";
import { mineContext, writeJsonl } from "../../helpers/mining.js";

const folder = folderPerTest();
const path = () => join(folder(), "labelled.jsonl");
const options = async (flags: Partial<Parameters<typeof mineOptions>[1]> = {}) => {
  await writeFile(path(), "");
  return mineOptions(path(), { out: join(folder(), "out.jsonl"), corpus: join(folder(), "c.jsonl"), ...flags });
};

describe("the flags of data mine", () => {
  test("have the defaults of the literature", async () => {
    expect(await options()).toMatchObject({
      from: "bm25",
      ranks: { first: 10, last: 100 },
      perQuery: 15,
      random: 2,
      maxShare: 0.95,
      seed: 7,
      resume: false,
    });
  });

  test("tell the ranker by what was given to rank with", async () => {
    expect(await options({ run: "run.trec" })).toMatchObject({ from: "run" });
    const embedding = await options({ embeddingModel: "model", queryPrefix: "query: ", pooling: "cls" });
    expect(embedding).toMatchObject({
      from: "embedding",
      embedding: { queryPrefix: "query: ", passagePrefix: "", pooling: "cls" },
    });
  });

  test("give one negative a query no more than one random one", async () => {
    expect(await options({ perQuery: "1" })).toMatchObject({ perQuery: 1, random: 1 });
  });

  test.each([
    [{ from: "run" as const }, "--from run needs a run"],
    [{ from: "embedding" as const }, "--from embedding needs a model"],
    [{ from: "bm25" as const, run: "r" }, "--run goes with"],
    [{ run: "r", embeddingModel: "m" }, "--embedding-model goes with"],
    [{ queryPrefix: "query: " }, "--query-prefix goes with"],
    [{ scores: "s", model: "m" }, "--scores and --model"],
    [{ maxShare: "0.9" }, "--max-share needs base scores"],
    [{ model: "m", maxShare: "95" }, "--max-share 95"],
    [{ ranks: "100-10" }, "--ranks 100-10"],
    [{ ranks: "0-10" }, "--ranks 0-10"],
    [{ ranks: "10" }, "--ranks 10"],
    [{ perQuery: "0" }, "--per-query 0"],
    [{ random: "16" }, "--random 16"],
    [{ seed: "-1" }, "--seed -1"],
  ])("that contradict or make no sense are refused: %j", async (flags, message) => {
    await expect(options(flags)).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining(message) });
  });

  test("name data that must be there", () => {
    expect(() => mineOptions(join(folder(), "no.jsonl"), { out: "out" })).toThrow(
      expect.objectContaining({ code: "DATA_NOT_FOUND" }),
    );
  });

  test("need a corpus, unless the data is a folder that brings its own", async () => {
    await writeFile(path(), "");
    expect(() => mineOptions(path(), { out: "out" })).toThrow(
      expect.objectContaining({ code: "USAGE", message: expect.stringContaining("--corpus") }),
    );
    expect(mineOptions(folder(), { out: "out" })).not.toHaveProperty("corpus");
  });
});

describe("the result of data mine", () => {
  test("is the file, the counts and what to do next", async () => {
    await writeJsonl(path(), [{ query: "red", passages: [{ text: "red apple", label: 1 }] }]);
    const corpus = await writeJsonl(join(folder(), "corpus.jsonl"), [
      { text: "red apple" },
      { text: "red brick house" },
      { text: "green field far away" },
    ]);
    const out = join(folder(), "mined.jsonl");
    const { signal, emit } = mineContext();
    const context = { signal, emit, home: folder(), python: () => Promise.reject(new Error("not asked for")) };
    const flags = { corpus, out, ranks: "1-5", perQuery: "2", random: "1" };
    const result = await dataMine(path(), flags, context);
    expect(result.essential).toBe(out);
    expect(result.data).toMatchObject({ mined: 1, random: 1, queries: 1, corpus_passages: 3 });
    const text = result.text((_, part) => part);
    expect(text).toMatch(/mined negatives +1 +by bm25, for 1 of 1 queries/);
    expect(text).not.toMatch(/apple|brick|field/);
  });
});
