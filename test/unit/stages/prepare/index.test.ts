import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hashFile } from "../../../../src/artifacts/hash.js";
import { readAllGroups, SPLITS } from "../../../../src/dataset/groups.js";
import type { StageEvent } from "../../../../src/events.js";
import { type PrepareStageOptions, prepare } from "../../../../src/stages/prepare/index.js";
import { type PrepareOutput, prepareSchema } from "../../../../src/stages/prepare/schema.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";
import { writeTinyPairs } from "../../../helpers/tiny-data.js";

interface Ran {
  output: PrepareOutput;
  outDir: string;
  events: StageEvent[];
}

async function run(folder: string, section: object, signal = new AbortController().signal): Promise<Ran> {
  const outDir = join(folder, `out-${Math.random()}`);
  await mkdir(outDir);
  const events: StageEvent[] = [];
  const options: PrepareStageOptions = {
    ...prepareSchema.parse(section),
    tokenizer: join(folder, "tokenizer.json"),
    max_length: 32,
  };
  const context = {
    outDir,
    resuming: false,
    signal,
    emit: (event: StageEvent) => events.push(event),
    python: () => Promise.reject(new Error("prepare needs no Python")),
    now: () => new Date(0),
  };
  return { output: await prepare.run(context, options, {}), outDir, events };
}

async function tinyPairs(folder: string, extra = ""): Promise<string> {
  const source = join(folder, "pairs.jsonl");
  await writeTinyPairs(source);
  await writeFile(source, extra, { flag: "a" });
  return source;
}

const pair = (query: string, passage: string, label: unknown) => `${JSON.stringify({ query, passage, label })}\n`;

describe("prepare", () => {
  test("writes three files of groups whose counts and digests are in its output", async () => {
    const folder = await temporaryFolder();
    const { output, outDir } = await run(folder, { source: await tinyPairs(folder) });
    for (const side of SPLITS) {
      const groups = await readAllGroups(join(outDir, `groups.${side}.jsonl`));
      expect(groups).toHaveLength(output.queries[side]);
      expect(output.digests[side]).toBe(await hashFile(join(outDir, `groups.${side}.jsonl`)));
    }
    expect(output.candidates_from).toBe("judged");
  });

  test("gives the same bytes for the same seed", async () => {
    const folder = await temporaryFolder();
    const source = await tinyPairs(folder);
    const section = { source, negatives: { from: "bm25" } };
    const [first, second] = [await run(folder, section), await run(folder, section)];
    expect(second.output).toEqual(first.output);
  });

  test("fills each side up to its cap", async () => {
    const folder = await temporaryFolder();
    const { output } = await run(folder, {
      source: await tinyPairs(folder),
      max_queries: { train: 9, dev: 2, test: 3 },
    });
    expect(output.queries).toEqual({ train: 9, dev: 2, test: 3 });
  });

  test("reports conflicts, duplicates and empty texts with their lines, and no text", async () => {
    const folder = await temporaryFolder();
    const extra =
      pair("secret query", "secret passage", 1) +
      pair("secret query", "secret passage", 0) +
      pair("secret query", "secret passage", 1) +
      pair("secret query", " ", 0);
    const { output, outDir, events } = await run(folder, { source: await tinyPairs(folder, extra) });
    expect(output.dropped).toEqual({ duplicates: 1, empty: 1, conflicts: 1 });
    const record = await readFile(join(outDir, "records/report.json"), "utf8");
    expect(JSON.parse(record).findings).toMatchObject({
      conflicts: { total: 1, listed: [{ file: "pairs.jsonl", line: 482 }] },
      duplicates: { listed: [{ line: 483 }] },
      empty: { listed: [{ line: 484 }] },
    });
    expect(`${record}${JSON.stringify(events)}`).not.toContain("secret");
    expect(events).toContainEqual({ type: "warning", message: expect.stringContaining("pairs.jsonl:482") });
  });

  test("stops on malformed lines with all of them", async () => {
    const folder = await temporaryFolder();
    const source = await tinyPairs(folder, `not json\n${pair("q", "p", "good")}`);
    await expect(run(folder, { source })).rejects.toMatchObject({
      code: "DATA_INVALID",
      problems: [{ line: 481 }, { line: 482 }],
    });
  });

  test.each([
    [0, "All 30 labels"],
    [1, "there is only one class"],
  ])("refuses pairs whose labels are all %i", async (label, message) => {
    const folder = await temporaryFolder();
    const source = join(folder, "pairs.jsonl");
    await writeFile(
      source,
      Array.from({ length: 30 }, (_, index) => pair(`word${index} query`, `passage ${index}`, label)).join(""),
    );
    await expect(run(folder, { source })).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringContaining(message),
    });
  });

  test("mines negatives for positives alone when told to", async () => {
    const folder = await temporaryFolder();
    const source = join(folder, "pairs.jsonl");
    await writeFile(
      source,
      Array.from({ length: 40 }, (_, index) => pair(`word${index} query`, `shared query answer word${index}`, 1)).join(
        "",
      ),
    );
    const { output } = await run(folder, { source, negatives: { from: "bm25" } });
    expect(output).toMatchObject({ candidates_from: "bm25", queries: { train: 26, dev: 8, test: 6 } });
    expect(output.pairs.train).toBe(26 * 25);
  });

  test("gives dev and test the clusters of queries that share a group, and nothing to queries that stand alone", async () => {
    const folder = await temporaryFolder();
    const written = async (groupOf: (index: number) => string | undefined) => {
      const source = join(folder, "pairs.jsonl");
      const rows = Array.from({ length: 60 }, (_, index) =>
        [1, 0].map((label) => ({ query: `word${index} asks`, passage: `p${label} of ${index}`, label })),
      ).map((both, index) => both.map((row) => `${JSON.stringify({ ...row, group: groupOf(index) })}\n`).join(""));
      await writeFile(source, rows.join(""));
      const { outDir } = await run(folder, { source });
      const clusters = async (side: string) =>
        (await readAllGroups(join(outDir, `groups.${side}.jsonl`))).map(({ cluster }) => cluster);
      return { train: await clusters("train"), dev: await clusters("dev"), test: await clusters("test") };
    };
    const threes = await written((index) => `document ${Math.floor(index / 3)}`);
    expect(threes.test).toHaveLength(9);
    for (const side of [threes.dev, threes.test])
      expect([...side].sort()).toEqual(side.map((_, index) => Math.floor(index / 3) + 1));
    expect(new Set(threes.train)).toEqual(new Set([undefined]));
    const alone = await written(() => undefined);
    expect(new Set([...alone.train, ...alone.dev, ...alone.test])).toEqual(new Set([undefined]));
  });

  test("that is interrupted says so", async () => {
    const folder = await temporaryFolder();
    const source = join(folder, "pairs.jsonl");
    await writeTinyPairs(source, 300);
    await expect(run(folder, { source }, AbortSignal.abort("SIGTERM"))).rejects.toMatchObject({ code: "TERMINATED" });
  });

  test("counts the base's tokenizer among its sources only where it exists", async () => {
    const folder = await temporaryFolder();
    const options = {
      ...prepareSchema.parse({ source: folder }),
      tokenizer: join(folder, "tokenizer.json"),
      max_length: 32,
    };
    const names = () => prepare.sources(options, {} as never).map(({ name }) => name);
    expect(names()).toEqual(["prepare.source"]);
    await writeFile(options.tokenizer, "{}");
    expect(names()).toEqual(["prepare.source", "base_model.tokenizer"]);
  });
});
