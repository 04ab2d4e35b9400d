import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { splitData } from "../../../../src/data-tools/split/index.js";
import type { SplitEvent, SplitOptions, SplitResult } from "../../../../src/data-tools/split/options.js";
import { readLabelledData } from "../../../../src/dataset/readers/detect.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";

interface Row {
  query_id: string;
  query: string;
  passages: { id: string; text: string; label: number; source?: string }[];
  [field: string]: unknown;
}

/** `count` queries that share no word. */
const rows = (count: number, more: (index: number) => object = () => ({})): Row[] =>
  Array.from({ length: count }, (_, index) => ({
    query_id: `q${index}`,
    query: `alpha${index} beta${index}`,
    passages: [
      { id: `p${index}`, text: `yes ${index}`, label: 1 },
      { id: `n${index}`, text: `no ${index}`, label: 0 },
    ],
    ...more(index),
  }));

interface Split {
  result: SplitResult;
  out: string;
  events: SplitEvent[];
  /** Query ids of a file. */
  ids(path: string): Promise<string[]>;
}

async function split(data: readonly object[], more: Partial<SplitOptions> = {}): Promise<Split> {
  const folder = await temporaryFolder();
  const [source, out] = [join(folder, "data.jsonl"), join(folder, "out")];
  await writeFile(source, data.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const events: SplitEvent[] = [];
  const result = await splitData({
    source,
    format: "auto",
    out,
    by: "query",
    dev: 0.1,
    test: 0.15,
    time_field: "time",
    seed: 7,
    scratch: await temporaryFolder(),
    signal: new AbortController().signal,
    emit: (event) => events.push(event),
    ...more,
  });
  const ids = async (path: string) =>
    (await readFile(join(out, path), "utf8"))
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => (JSON.parse(line) as Row).query_id);
  return { result, out, events, ids };
}

const counts = ({ files }: SplitResult) => files.map(({ path, queries }) => [path, queries]);
const warnings = (events: readonly SplitEvent[]) =>
  events.flatMap((event) => (event.type === "warning" ? [event.message] : []));

describe("a split by query", () => {
  test("gives each side its share, in the order of the data", async () => {
    const { result, ids } = await split(rows(100));
    expect(counts(result)).toEqual([
      ["train.jsonl", 75],
      ["dev.jsonl", 10],
      ["test.jsonl", 15],
    ]);
    const train = await ids("train.jsonl");
    expect(train).toEqual([...train].sort((left, right) => Number(left.slice(1)) - Number(right.slice(1))));
    const all = [...train, ...(await ids("dev.jsonl")), ...(await ids("test.jsonl"))];
    expect(new Set(all).size).toBe(100);
  });

  test("keeps near-duplicates and shared group keys on one side", async () => {
    const close = rows(12, (index) => ({
      query_id: `c${index}`,
      query: index % 2 === 0 ? "Is VAT due?" : "is vat due",
    }));
    const grouped = rows(20, (index) => ({
      query_id: `g${index}`,
      query: `gamma${index}`,
      group: index < 10 ? "a" : ["b", "c"],
    }));
    const { ids, result } = await split([...rows(68), ...close.slice(0, 2), ...grouped], { seed: 3 });
    expect(result.clusters).toBe(68 + 1 + 2);
    for (const members of [["c0", "c1"], grouped.slice(0, 10).map(({ query_id }) => query_id)]) {
      const sides = await Promise.all(["train", "dev", "test"].map((side) => ids(`${side}.jsonl`)));
      expect(sides.filter((side) => members.some((id) => side.includes(id)))).toHaveLength(1);
    }
  });

  test("is byte for byte the same for the same seed, and another for another", async () => {
    const hashes = async (seed: number) => (await split(rows(60), { seed })).result.files.map(({ sha256 }) => sha256);
    expect(await hashes(1)).toEqual(await hashes(1));
    expect(await hashes(1)).not.toEqual(await hashes(2));
  });

  test("describes itself in split.json: counts, seed and digests, no text and no path of the machine", async () => {
    const { result, out } = await split(rows(40), { seed: 11 });
    const text = await readFile(join(out, "split.json"), "utf8");
    expect(JSON.parse(text)).toEqual(result);
    expect(text).not.toMatch(/alpha|yes 1|rerank-tune-test/);
    expect(result).toMatchObject({ schema: 1, by: "query", seed: 11, queries: 40, pairs: 80, folds: null });
    for (const { path, sha256 } of result.files)
      expect(
        createHash("sha256")
          .update(await readFile(join(out, path)))
          .digest("hex"),
      ).toBe(sha256);
  });

  test("leaves queries that cannot be measured in train: without a positive, or made up", async () => {
    const without = rows(30, (index) => ({
      query_id: `w${index}`,
      query: `omega${index}`,
      passages: [{ id: `x${index}`, text: `x ${index}`, label: 0 }],
    }));
    const made = rows(30, (index) => ({
      query_id: `m${index}`,
      query: `made${index}`,
      passages: [{ id: `y${index}`, text: `y ${index}`, label: 1, source: "synthetic" }],
    }));
    const { result, ids } = await split([...rows(40), ...without, ...made]);
    expect(result).toMatchObject({ without_positives: 30, made_up: 30 });
    for (const side of ["dev", "test"])
      expect((await ids(`${side}.jsonl`)).every((id) => id.startsWith("q"))).toBe(true);
  });

  test("writes a repeated pair once and of two labels the higher one", async () => {
    const [first] = rows(1) as [Row];
    const again = { ...first, passages: [{ id: "p0", text: "yes 0", label: 3 }, first.passages[1]] };
    const { result, out } = await split([...rows(40), again]);
    expect(result).toMatchObject({ queries: 40, pairs: 80, left_out: { duplicates: 1, contradictions: 1, empty: 0 } });
    const written = await Promise.all(
      ["train", "dev", "test"].map((side) => readFile(join(out, `${side}.jsonl`), "utf8")),
    );
    expect(written.join("")).toContain('{"label":3,"id":"p0","text":"yes 0"}');
  });

  test("writes a query once that the data has on two sides", async () => {
    const twice = rows(1).flatMap((row) => [
      { ...row, split: "train" },
      { ...row, split: "test" },
    ]);
    const { result } = await split([...rows(40).slice(1), ...twice]);
    expect(result).toMatchObject({ queries: 40, left_out: { duplicates: 2 } });
  });

  test("gives up the split of the data, and says so", async () => {
    const { events, out } = await split(rows(40, (index) => ({ split: index < 30 ? "train" : "test" })));
    expect(warnings(events)).toContain("the split that the data brings along is given up");
    for (const side of ["train", "dev", "test"] as const) {
      const lines = (await readFile(join(out, `${side}.jsonl`), "utf8")).trim().split("\n");
      expect(new Set(lines.map((line) => (JSON.parse(line) as { split: string }).split))).toEqual(new Set([side]));
    }
  });

  test("can be named in a recipe as it is: the folder reads back with its sides", async () => {
    const { out } = await split(rows(40));
    const { queries, findings } = await readLabelledData(out, "auto");
    expect(findings.fatal.total).toBe(0);
    const count = (side: string) => queries.filter((query) => query.split === side).length;
    expect([count("train"), count("dev"), count("test")]).toEqual([30, 4, 6]);
  });

  test("recommends folds for fewer than 300 queries", async () => {
    expect(warnings((await split(rows(299))).events)).toEqual([expect.stringContaining("--folds 5")]);
    expect(warnings((await split(rows(300))).events)).toEqual([]);
  });

  test("refuses a folder that is not empty, and leaves nothing behind when it fails", async () => {
    const { out } = await split(rows(40));
    await expect(split(rows(40), { out })).rejects.toMatchObject({ code: "USAGE" });
    const same = rows(40, () => ({ query: "the same words" }));
    const empty = await temporaryFolder();
    await expect(split(same, { out: empty })).rejects.toMatchObject({ code: "DATA_INVALID" });
    expect(await readdir(empty)).toEqual([]);
  });

  test("refuses rows that cannot be read, with their lines", async () => {
    const broken = [...rows(40), { query: "no passages", passages: "none" }];
    await expect(split(broken)).rejects.toMatchObject({ code: "DATA_INVALID", problems: [{ line: 41 }] });
  });

  test("stops when it is asked to, and leaves nothing behind", async () => {
    const out = await temporaryFolder();
    await expect(split(rows(600), { out, signal: AbortSignal.abort("SIGINT") })).rejects.toMatchObject({
      code: "INTERRUPTED",
    });
    expect(await readdir(out)).toEqual([]);
  });
});

describe("a split by group", () => {
  test("wants a key for every query, and keeps each on one side", async () => {
    const { ids } = await split(
      rows(60, (index) => ({ group: `g${index % 20}` })),
      { by: "group" },
    );
    const sides = await Promise.all(["train", "dev", "test"].map((side) => ids(`${side}.jsonl`)));
    const keys = sides.map((side) => new Set(side.map((id) => Number(id.slice(1)) % 20)));
    expect(keys.reduce((sum, { size }) => sum + size, 0)).toBe(20);
    const partly = rows(40, (index) => (index === 7 ? {} : { group: `g${index}` }));
    await expect(split(partly, { by: "group" })).rejects.toMatchObject({
      code: "DATA_INVALID",
      problems: [{ line: 8 }],
    });
  });
});

describe("a split by time", () => {
  const dated = (index: number) => ({ time: new Date(Date.UTC(2026, 0, 1 + ((index * 37) % 100))).toISOString() });

  test("tests the newest queries and learns from the oldest", async () => {
    const { result, ids } = await split(rows(100, dated), { by: "time" });
    expect(counts(result).map(([, queries]) => queries)).toEqual([75, 10, 15]);
    const days = async (side: string) => (await ids(`${side}.jsonl`)).map((id) => (Number(id.slice(1)) * 37) % 100);
    expect(Math.min(...(await days("test")))).toBe(85);
    expect(Math.min(...(await days("dev")))).toBe(75);
    expect(Math.max(...(await days("train")))).toBe(74);
  });

  test("takes a whole cluster to the side of its newest query", async () => {
    const data = rows(40, (index) => ({ year: 1980 + index }));
    (data[0] as Row).query = (data[39] as Row).query;
    const { ids } = await split(
      data.map(({ query_id, ...row }) => ({ ...row, query_id })),
      { by: "time", time_field: "year", dev: 0 },
    );
    expect(await ids("test.jsonl")).toContain((data[0] as Row).query_id);
  });

  test("reads the field of a table and takes the newest of a query's rows", async () => {
    const folder = await temporaryFolder();
    const source = join(folder, "pairs.csv");
    const lines = Array.from({ length: 40 }, (_, index) => [
      `alpha${index},yes ${index},1,2020-01-01`,
      `alpha${index},no ${index},0,${2021 + index}-01-01`,
    ]);
    await writeFile(source, `query,passage,label,Asked\n${lines.flat().join("\n")}\n`);
    const { ids } = await split([], { source, by: "time", time_field: "Asked" });
    expect((await ids("test.jsonl")).sort()).toEqual(["q35", "q36", "q37", "q38", "q39", "q40"]);
  });

  test("names the lines of queries without a time", async () => {
    const data = rows(40, (index) => (index === 4 ? { time: "soon" } : dated(index)));
    await expect(split(data, { by: "time" })).rejects.toMatchObject({
      code: "DATA_INVALID",
      problems: [{ line: 5, path: "time" }],
    });
  });
});

describe("folds", () => {
  test("test every query once and never leave a side empty", async () => {
    const { result, ids } = await split(rows(53), { folds: 5 });
    expect(result.files).toHaveLength(15);
    const tested = (await Promise.all([1, 2, 3, 4, 5].map((fold) => ids(`fold-${fold}/test.jsonl`)))).flat();
    expect(tested).toHaveLength(53);
    expect(new Set(tested).size).toBe(53);
    for (const { split: side, queries } of result.files)
      if (side === "test") expect([10, 11]).toContain(queries);
      else if (side === "dev") expect([4, 5]).toContain(queries);
  });

  test("keep the three sides of a fold apart and near-duplicates together", async () => {
    const close = rows(10, (index) => ({
      query_id: `c${index}`,
      query: `Is VAT ${"due".repeat(1)}${"?".repeat(index)}`,
    }));
    const { ids } = await split([...rows(40), ...close], { folds: 4 });
    for (const fold of [1, 2, 3, 4]) {
      const sides = await Promise.all(["train", "dev", "test"].map((side) => ids(`fold-${fold}/${side}.jsonl`)));
      expect(new Set(sides.flat()).size).toBe(50);
      expect(sides.filter((side) => side.some((id) => id.startsWith("c")))).toHaveLength(1);
    }
  });

  test("never test what cannot be measured", async () => {
    const without = rows(20, (index) => ({
      query_id: `w${index}`,
      query: `omega${index}`,
      passages: [{ id: `x${index}`, text: "x", label: 0 }],
    }));
    const { ids } = await split([...rows(30), ...without], { folds: 3 });
    for (const fold of [1, 2, 3]) {
      expect((await ids(`fold-${fold}/test.jsonl`)).every((id) => id.startsWith("q"))).toBe(true);
      expect((await ids(`fold-${fold}/train.jsonl`)).filter((id) => id.startsWith("w"))).toHaveLength(20);
    }
  });
});
