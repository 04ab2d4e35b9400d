import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { mineNegatives } from "../../../../src/data-tools/mine/index.js";
import type { MineOptions } from "../../../../src/data-tools/mine/options.js";
import { readLabelledData } from "../../../../src/dataset/readers/detect.js";
import type { StageEvent } from "../../../../src/events.js";
import { folderPerTest } from "../../../helpers/folder-per-test.js";
import { mineContext, mineOptions, writeJsonl } from "../../../helpers/mining.js";

const folder = folderPerTest();
/** Three chunks, the last one not full. */
const QUERIES = 70;
const words = ["lease", "appeal", "fever", "invoice", "router", "visa", "fracture", "audit", "patent", "vaccine"];
const passage = (index: number) =>
  `${words[index % 10]} ${words[Math.floor(index / 10) % 10]} case${index} file${index} page${(index * 7) % 500} shelf${index % 90}`;

interface Row {
  query_id: string;
  query: string;
  passages: { id: string; label: number; source?: string; [name: string]: unknown }[];
  [name: string]: unknown;
}

beforeEach(async () => {
  await writeJsonl(
    join(folder(), "corpus.jsonl"),
    Array.from({ length: 200 }, (_, index) => ({ _id: `p${index}`, text: passage(index) })),
  );
  await writeJsonl(
    join(folder(), "labelled.jsonl"),
    Array.from({ length: QUERIES }, (_, index) => ({
      query_id: `q${index}`,
      query: `${words[index % 10]} ${words[(index + 3) % 10]}`.concat(` case${index}`),
      passages: [
        { id: `p${index}`, text: passage(index), label: 2, teacher_score: 4.5 },
        { id: `p${index + 80}`, text: passage(index + 80), label: 0 },
      ],
      lang: "en",
      group: `document ${index % 7}`,
    })),
  );
});

const options = (changes: Partial<MineOptions> = {}) => mineOptions(folder(), changes);
const mine = (changes: Partial<MineOptions> = {}, context = mineContext()) => mineNegatives(options(changes), context);
async function rows(file = options().out): Promise<Row[]> {
  return (await readFile(file, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
}

describe("mining by BM25", () => {
  test("adds negatives with their provenance behind the judged passages, which stay as they are", async () => {
    const report = await mine();
    const found = await rows();
    expect(found).toHaveLength(QUERIES);
    for (const [index, row] of found.entries()) {
      expect(row).toMatchObject({ query_id: `q${index}`, lang: "en", group: `document ${index % 7}` });
      const [positive, negative, ...mined] = row.passages;
      expect(positive).toEqual({ label: 2, id: `p${index}`, text: passage(index), teacher_score: 4.5 });
      expect(negative).toEqual({ label: 0, id: `p${index + 80}`, text: passage(index + 80) });
      expect(mined.map(({ source }) => source)).toEqual(["bm25", "bm25", "bm25", "random"]);
      expect(mined.every(({ label, id }) => label === 0 && id !== `p${index}` && id !== `p${index + 80}`)).toBe(true);
      expect(mined[0]).toMatchObject({ rank: expect.any(Number), score: expect.any(Number) });
      expect(mined[3]).not.toHaveProperty("rank");
    }
    expect(report).toMatchObject({ queries: QUERIES, mined: 210, random: 70, judged: 140, short: 0, filtered: false });
    expect(existsSync(`${options().out}.work`)).toBe(false);
  });

  test("gives a file that prepare reads, with every judgement and every negative", async () => {
    await mine();
    const data = await readLabelledData(options().out, "auto");
    expect(data.findings.fatal.total).toBe(0);
    expect(data.queries).toHaveLength(QUERIES);
    for (const query of data.queries) {
      expect(query.judgements.size).toBe(6);
      expect([...query.judgements.values()][0]).toMatchObject({ label: 2, teacher_score: 4.5 });
    }
  });

  test("gives the same bytes for the same command, others for another seed", async () => {
    await mine();
    await mine({ out: join(folder(), "again.jsonl") });
    await mine({ out: join(folder(), "other.jsonl"), seed: 8 });
    const [first, again, other] = await Promise.all(
      ["mined", "again", "other"].map((name) => readFile(join(folder(), `${name}.jsonl`), "utf8")),
    );
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  test("leaves queries alone that have nothing relevant or belong to an evaluation split", async () => {
    await writeJsonl(join(folder(), "labelled.jsonl"), [
      { query: "lease", passages: [{ text: passage(0), label: 1 }], split: "train" },
      { query: "fever", passages: [{ text: passage(2), label: 1 }], split: "test" },
      { query: "audit", passages: [{ text: passage(7), label: 0 }], split: "train" },
    ]);
    const report = await mine();
    expect((await rows()).map(({ passages, split }) => [passages.length, split])).toEqual([
      [5, "train"],
      [1, "test"],
      [1, "train"],
    ]);
    expect(report).toMatchObject({ queries: 3, mined_queries: 1 });
  });

  test("tells how many candidates were left out by a score file, and warns when there is none", async () => {
    const context = mineContext();
    await mine({}, context);
    expect(context.events).toContainEqual({ type: "warning", message: expect.stringContaining("without base scores") });
    const [first] = await rows();
    const suspect = first?.passages[2]?.id as string;
    const scores = Array.from({ length: 200 }, (_, index) => `p${index}\t${`p${index}` === suspect ? 9 : -9}`);
    await writeFile(
      join(folder(), "base.tsv"),
      ["p0\t5", ...scores.filter((line) => !line.startsWith("p0\t"))].map((line) => `q0\t${line}\n`).join(""),
    );
    const out = join(folder(), "filtered.jsonl");
    const report = await mine({ out, base: { scores: join(folder(), "base.tsv") } });
    const filtered = (await rows(out))[0]?.passages ?? [];
    expect(filtered.map(({ id }) => id)).not.toContain(suspect);
    expect(filtered.slice(2)).toHaveLength(4);
    expect(filtered[2]).toMatchObject({ base_score: -9 });
    expect(report).toMatchObject({ filtered: true, likely_positives: 1, mined: 3, random: 1, short: 69 });
  });
});

describe("mining by a run", () => {
  test("takes its ranks and scores", async () => {
    const run = join(folder(), "run.trec");
    const lines = Array.from({ length: QUERIES }, (_, query) =>
      Array.from({ length: 30 }, (_, at) => `q${query} Q0 p${(query + 90 + at) % 200} ${at + 1} ${30 - at} prod`),
    );
    await writeFile(run, lines.flat().join("\n"));
    await mine({ from: "run", run, ranks: { first: 5, last: 30 } });
    expect((await rows())[3]?.passages[2]).toMatchObject({ id: "p97", source: "run", rank: 5, score: 26 });
  });
});

describe("an interrupted run", () => {
  const stops: [string, (event: StageEvent) => boolean][] = [
    ["while it reads", (event) => event.type === "phase" && event.name === "read corpus"],
    ["while it ranks", (event) => event.type === "phase" && event.name.startsWith("rank passages")],
    ["after the first chunk", (event) => event.type === "progress" && event.unit === "queries"],
    ["after the second", (event) => event.type === "progress" && event.unit === "queries" && event.completed === 64],
  ];

  test.each(stops)("%s continues and ends with the same bytes and counts", async (_, stopAt) => {
    const whole = await mine({ out: join(folder(), "whole.jsonl") });
    await expect(mine({}, mineContext(stopAt))).rejects.toMatchObject({ code: "INTERRUPTED" });
    // What a kill in the middle of a write leaves behind.
    const output = join(`${options().out}.work`, "output.jsonl");
    if (existsSync(output)) await appendFile(output, '{"query_id": "torn');
    const resumed = await mine({ resume: true });
    expect(await readFile(options().out, "utf8")).toBe(await readFile(join(folder(), "whole.jsonl"), "utf8"));
    expect({ ...resumed, out: "" }).toEqual({ ...whole, out: "" });
  });

  test("does not rank again what is ranked", async () => {
    await expect(mine({}, mineContext(stops[2]?.[1]))).rejects.toMatchObject({ code: "INTERRUPTED" });
    const context = mineContext();
    await mine({ resume: true }, context);
    const phases = context.events.flatMap((event) => (event.type === "phase" ? [event.name] : []));
    expect(phases).not.toContain("rank passages by BM25");
    expect(phases).not.toContain("read corpus");
    expect(phases).toContain("choose negatives");
  });

  test("is not overwritten without --resume, and not continued under another command or other data", async () => {
    await expect(mine({}, mineContext(stops[2]?.[1]))).rejects.toMatchObject({ code: "INTERRUPTED" });
    await expect(mine()).rejects.toMatchObject({ code: "USAGE", hint: expect.stringContaining("--resume") });
    await expect(mine({ resume: true, seed: 9 })).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("other options"),
    });
    await appendFile(join(folder(), "corpus.jsonl"), '{"_id": "new", "text": "new"}\n');
    await expect(mine({ resume: true })).rejects.toMatchObject({ message: expect.stringContaining("other corpus") });
  });
});

describe("bad input", () => {
  test("never overwrites a file and needs the folder of the output", async () => {
    await writeFile(options().out, "mine");
    await expect(mine()).rejects.toMatchObject({ code: "USAGE" });
    expect(await readFile(options().out, "utf8")).toBe("mine");
    await expect(mine({ out: join(folder(), "nowhere", "out.jsonl") })).rejects.toMatchObject({ code: "NOT_WRITABLE" });
  });

  test("of a corpus leaves nothing that would have to be removed once it is corrected", async () => {
    await appendFile(join(folder(), "corpus.jsonl"), "broken\n");
    await expect(mine()).rejects.toMatchObject({ code: "DATA_INVALID", problems: [{ line: 201 }] });
    expect(existsSync(`${options().out}.work`)).toBe(false);
  });

  test("is a window below every list with no random ones: nothing found is no success", async () => {
    await expect(mine({ ranks: { first: 900, last: 999 }, random: 0 })).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringContaining("ranks 900-999"),
    });
    expect(existsSync(options().out)).toBe(false);
    expect(existsSync(`${options().out}.work`)).toBe(false);
  });

  test("is data without anything relevant, and a corpus, score file or model that is not there", async () => {
    const nothing = join(folder(), "nothing.jsonl");
    await writeJsonl(nothing, [{ query: "lease", passages: [{ text: "x", label: 0 }] }]);
    await expect(mine({ source: nothing })).rejects.toMatchObject({ code: "DATA_INVALID" });
    await expect(mine({ corpus: join(folder(), "no") })).rejects.toMatchObject({ code: "DATA_NOT_FOUND" });
    await expect(mine({ base: { scores: join(folder(), "no") } })).rejects.toMatchObject({ code: "DATA_NOT_FOUND" });
    await mkdir(join(folder(), "empty"));
    await expect(mine({ base: { model: join(folder(), "empty") } })).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  });

  test("quotes no text of the person's in any event", async () => {
    const context = mineContext();
    await mine({}, context);
    expect(JSON.stringify(context.events)).not.toMatch(/lease|appeal|case\d/);
  });
});
