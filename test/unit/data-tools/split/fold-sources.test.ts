import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  type FoldOptions,
  foldSource,
  isWritten,
  type PlannedFolds,
  planFolds,
  writeFolds,
} from "../../../../src/data-tools/split/fold-sources.js";
import { readLabelledData } from "../../../../src/dataset/readers/detect.js";
import { folderWith, jsonl } from "../../../helpers/labelled-files.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";

/** `count` queries that share no word, one relevant and one irrelevant passage each. */
const rows = (count: number, more: (index: number) => object = () => ({})): object[] =>
  Array.from({ length: count }, (_, index) => ({
    query: `alpha${index} beta${index}`,
    passages: [
      { text: `yes ${index}`, label: 1 },
      { text: `no ${index}`, label: 0 },
    ],
    ...more(index),
  }));

const OPTIONS = { format: "auto", folds: 4, dev: 0.1, seed: 7, ignoreSplit: false } as const;

async function plan(data: readonly object[], more: Partial<FoldOptions> = {}): Promise<PlannedFolds> {
  const source = join(await folderWith({ "data.jsonl": jsonl(data) }), "data.jsonl");
  return await planFolds({ ...OPTIONS, source, ...more });
}

/** For each query the folds that test it, and the sides it has elsewhere. */
function sidesOf({ data, assignments }: PlannedFolds): string[][] {
  return data.queries.map((_, query) => assignments.map(({ sideOf }) => sideOf(query)));
}

const testedIn = (sides: readonly string[]): number => sides.indexOf("test");

describe("planned folds", () => {
  test("test every query once, in folds of equal size, with dev in each", async () => {
    const planned = await plan(rows(42));
    const sides = sidesOf(planned);
    expect(sides.every((own) => own.filter((side) => side === "test").length === 1)).toBe(true);
    const sizes = [0, 1, 2, 3].map((fold) => sides.filter((own) => testedIn(own) === fold).length);
    expect(sizes.sort()).toEqual([10, 10, 11, 11]);
    for (const fold of [0, 1, 2, 3]) expect(sides.filter((own) => own[fold] === "dev").length).toBe(3);
    expect(planned).toMatchObject({ measurable: 42, gaveUpSplit: false });
  });

  test("are the same for the same data and seed, and others for another seed", async () => {
    const [one, two, other] = [await plan(rows(30)), await plan(rows(30)), await plan(rows(30), { seed: 8 })];
    expect(sidesOf(one)).toEqual(sidesOf(two));
    expect(sidesOf(one)).not.toEqual(sidesOf(other));
  });

  test("keep near-duplicates and queries of one group together, in one cluster", async () => {
    const data = rows(30, (index) => (index < 3 ? { group: "contract-7" } : {}));
    const words = "how long is the notice period of a lease for a shop in the inner city";
    Object.assign(data[10] as object, { query: words });
    Object.assign(data[20] as object, { query: `${words}?` });
    const planned = await plan(data);
    const sides = sidesOf(planned);
    expect(new Set([0, 1, 2].map((query) => sides[query]?.join())).size).toBe(1);
    expect(sides[10]).toEqual(sides[20]);
    const cluster = (query: number) => planned.clusterOf.get(planned.data.queries[query]?.id ?? "");
    expect(cluster(0)).toBe(cluster(2));
    expect(cluster(10)).toBe(cluster(20));
    expect(new Set(planned.clusterOf.values()).size).toBe(27);
  });

  test("never test what was made up or has no relevant passage", async () => {
    const data = rows(30, (index) => (index === 4 ? { query_source: "synthetic" } : {}));
    Object.assign(data[5] as object, { passages: [{ text: "no", label: 0 }] });
    const planned = await plan(data);
    for (const query of [4, 5]) expect(sidesOf(planned)[query]).toEqual(["train", "train", "train", "train"]);
    expect(planned.measurable).toBe(28);
  });

  test("need a dev that has room for the clusters there are, and say so", async () => {
    const pairs = rows(20, (index) => ({ group: `document-${index >> 1}` }));
    await expect(plan(pairs)).rejects.toMatchObject({
      message: expect.stringContaining("No query is left for dev"),
      hint: expect.stringContaining("prepare.split.dev=0.2"),
    });
    expect((await plan(pairs, { dev: 0.2 })).measurable).toBe(20);
  });

  test("need a query a fold", async () => {
    await expect(plan(rows(3))).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringContaining("has 3 queries"),
      hint: expect.stringContaining("fewer folds"),
    });
  });
});

describe("data with a split of its own", () => {
  const own = rows(40, (index) => ({ split: index < 30 ? "train" : "test" }));

  test("is refused, because its test queries would be trained on", async () => {
    await expect(plan(own)).rejects.toMatchObject({
      code: "DATA_INVALID",
      hint: expect.stringContaining("--ignore-split"),
    });
  });

  test("is folded as a whole when the split is given up", async () => {
    const planned = await plan(own, { ignoreSplit: true });
    expect(planned.gaveUpSplit).toBe(true);
    expect(sidesOf(planned).every((sides) => testedIn(sides) >= 0)).toBe(true);
  });

  test("is not what a single side is", async () => {
    expect((await plan(rows(30, () => ({ split: "test" })))).gaveUpSplit).toBe(false);
  });
});

describe("written folds", () => {
  test("are read as the whole data with the planned split, under the same ids", async () => {
    const planned = await plan(rows(24, (index) => (index % 2 === 0 ? { lang: "de" } : {})));
    const before = planned.data.queries.map(({ id }) => id);
    const folder = join(await temporaryFolder(), "folds");
    await writeFolds(folder, planned);
    for (const fold of [1, 2, 3, 4]) {
      const read = await readLabelledData(foldSource(folder, planned, fold), "auto");
      expect(read.queries.map(({ id }) => id)).toEqual(before);
      expect(read.queries.map(({ split }) => split)).toEqual(sidesOf(planned).map((sides) => sides[fold - 1]));
      expect(read.queries.filter(({ lang }) => lang === "de")).toHaveLength(12);
      expect(read.passageTexts).toHaveLength(48);
    }
  });

  test("of a BEIR folder keep the whole corpus, stored once", async () => {
    const ids = Array.from({ length: 20 }, (_, index) => index);
    const source = await folderWith({
      "corpus.jsonl": jsonl([...ids, 98, 99].map((id) => ({ _id: `d${id}`, title: "t", text: `text ${id}` }))),
      "queries.jsonl": jsonl(ids.map((id) => ({ _id: `q${id}`, text: `alpha${id} beta${id}`, group: `g${id >> 1}` }))),
      "qrels/test.tsv": `query-id\tcorpus-id\tscore\n${ids.map((id) => `q${id}\td${id}\t1\n`).join("")}`,
    });
    const planned = await planFolds({ ...OPTIONS, source, dev: 0.2 });
    const folder = join(await temporaryFolder(), "folds");
    await writeFolds(folder, planned);
    const read = await readLabelledData(foldSource(folder, planned, 3), "auto");
    expect(read.format).toBe("beir");
    expect(read.passageIds).toContain("d99");
    expect(read.queries.filter(({ split }) => split === "test")).toHaveLength(
      sidesOf(planned).filter((sides) => sides[2] === "test").length,
    );
    const corpora = [1, 2].map((fold) => stat(join(foldSource(folder, planned, fold), "corpus.jsonl")));
    const [first, second] = await Promise.all(corpora);
    expect(second?.size).toBe(first?.size);
    expect(second?.ino).toBe(first?.ino);
  });

  test("are whole or not there, and are written once", async () => {
    const planned = await plan(rows(24));
    const folder = join(await temporaryFolder(), "deep", "folds");
    expect(await isWritten(folder)).toBe(false);
    await writeFolds(folder, planned);
    expect(await isWritten(folder)).toBe(true);
    const file = foldSource(folder, planned, 1);
    const [text, { mtimeMs }] = [await readFile(file, "utf8"), await stat(file)];
    await writeFolds(folder, planned);
    expect((await stat(file)).mtimeMs).toBe(mtimeMs);
    expect(await readFile(file, "utf8")).toBe(text);
    expect((await readdir(join(folder, ".."))).sort()).toEqual(["folds"]);
  });
});
