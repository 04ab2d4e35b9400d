import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scoreData } from "../../../../src/data-tools/score/index.js";
import type { ScoreOptions } from "../../../../src/data-tools/score/options.js";
import { readScores } from "../../../../src/ranking/scores.js";
import { folderPerTest } from "../../../helpers/folder-per-test.js";
import { checkPath, said } from "../check/checked.js";
import { fails } from "../endpoint/stand-in.js";
import { labelledFile, scoreContext, scoreOf, scoreOptions, teacherAt, tei, wordCounter } from "./scoring.js";

const folder = folderPerTest();

/** The options without `out`, for a table alone. */
function tableOnly(options: ScoreOptions, scores: string): ScoreOptions {
  const { out: _, ...rest } = options;
  return { ...rest, scores };
}

describe("a table of scores", () => {
  test("is what data check reads: every pair of data without ids finds its score", async () => {
    const pairs = join(folder(), "pairs.csv");
    await writeFile(
      pairs,
      'query,passage,label\nred,"an apple, red",1\nred,a brick,0\nred,a brick,0\ngreen,the wide green field,1\ngreen,an apple,0\n',
    );
    const { teacher } = await teacherAt(tei);
    const scores = join(folder(), "base.tsv");
    const options = tableOnly(scoreOptions(folder(), { teacher, source: pairs }), scores);
    const report = await scoreData(options, scoreContext());
    expect(report).toMatchObject({ out: null, scores, queries: 2, passages: 4 });
    const checked = await checkPath(pairs, { scores });
    expect(checked.scored_pairs).toBe(4);
    // Of the other passages, longer ones score higher: "an apple, red" beats "a brick", "the wide green field" beats "an apple".
    expect(said(checked, "ranked_against_labels")).toEqual([]);
    expect(await readdir(folder())).toEqual(["base.tsv", "pairs.csv"]);
  });

  test("has the ids of the data and the digits of the score", async () => {
    await labelledFile(folder());
    const { teacher } = await teacherAt(tei);
    const scores = join(folder(), "base.tsv");
    await scoreData(tableOnly(scoreOptions(folder(), { teacher }), scores), scoreContext());
    const read = await readScores(scores);
    expect([...read.keys()]).toEqual(["q1", "q2", "q3", "q4", "q5"]);
    expect(read.get("q5")?.get("p5-4")).toBe(scoreOf("query xxxxx", "passage 5 yyyyy"));
    expect(await readFile(scores, "utf8")).toMatch(/^q1\tp1-0\t/);
  });

  test("comes beside graded groups where both are asked for, with the same scores", async () => {
    await labelledFile(folder());
    const model = join(folder(), "plain");
    await mkdir(model);
    await writeFile(join(model, "config.json"), "{}");
    await writeFile(join(model, "model.safetensors"), "weights");
    const scores = join(folder(), "base.tsv");
    const options = { ...scoreOptions(folder(), { teacher: { folder: model } }), scores };
    const report = await scoreData(options, scoreContext(await wordCounter(folder())));
    expect(report).toMatchObject({ out: options.out, scores });
    expect((await readFile(scores, "utf8")).split("\n")).toHaveLength(16);
    expect(await readFile(options.out as string, "utf8")).toContain('"teacher_score":3');
  });

  test("goes on after an interruption", async () => {
    await labelledFile(folder());
    let failing = true;
    const { teacher } = await teacherAt((body, number, reply) =>
      failing && number > 3 ? fails(reply, 400) : tei(body, number, reply),
    );
    const scores = join(folder(), "base.tsv");
    const options = tableOnly(scoreOptions(folder(), { teacher: { ...teacher, concurrency: 1 } }), scores);
    await expect(scoreData(options, scoreContext())).rejects.toMatchObject({
      hint: expect.stringContaining("--resume"),
    });
    expect(existsSync(scores)).toBe(false);
    failing = false;
    const report = await scoreData({ ...options, resume: true }, scoreContext());
    expect(report.resumed).toBeGreaterThan(0);
    expect((await readFile(scores, "utf8")).split("\n")).toHaveLength(16);
  });
});

describe("before anything is scored", () => {
  const never = () => Promise.reject(new Error("asked"));

  test("a table that is there already is refused, and so is nowhere to write to", async () => {
    await labelledFile(folder());
    const { teacher, server } = await teacherAt(tei);
    const scores = join(folder(), "base.tsv");
    await writeFile(scores, "by hand");
    const options = { ...scoreOptions(folder(), { teacher }), scores };
    await expect(scoreData(options, scoreContext({ python: never }))).rejects.toMatchObject({
      code: "USAGE",
      hint: expect.stringContaining("--scores"),
    });
    const { out: _, scores: __, ...nowhere } = options;
    await expect(scoreData(nowhere, scoreContext())).rejects.toMatchObject({ code: "USAGE" });
    expect(await readFile(scores, "utf8")).toBe("by hand");
    expect(server.requests).toHaveLength(0);
  });

  test("ids that no table can hold are refused with their line", async () => {
    const source = join(folder(), "labelled.jsonl");
    const passages = [{ id: "a\tb", text: "secret words", label: 1 }];
    await writeFile(source, `${JSON.stringify({ query_id: "q", query: "more secrets", passages })}\n`);
    const { teacher, server } = await teacherAt(tei);
    const options = { ...scoreOptions(folder(), { teacher }), scores: join(folder(), "base.tsv") };
    const refused = await scoreData(options, scoreContext()).catch((error: Error) => error);
    expect(refused).toMatchObject({ code: "DATA_INVALID", problems: [{ file: source, line: 1 }] });
    expect(String(refused)).not.toContain("secret");
    expect(server.requests).toHaveLength(0);
    expect(await readdir(folder())).toEqual(["labelled.jsonl"]);
  });
});
