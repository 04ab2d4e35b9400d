import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scoreData } from "../../../../src/data-tools/score/index.js";
import { readLabelledData } from "../../../../src/dataset/readers/detect.js";
import type { StageEvent } from "../../../../src/events.js";
import { folderPerTest } from "../../../helpers/folder-per-test.js";
import { type Answer, fails } from "../endpoint/stand-in.js";
import { groupsOf, labelledFile, scoreContext, scoreOf, scoreOptions, teacherAt, tei, warnings } from "./scoring.js";

const folder = folderPerTest();

/** A teacher that fails at queries of this ending until it is mended. */
async function brokenTeacher(ending: string) {
  let broken = true;
  const { teacher } = await teacherAt(
    (body, number, reply) => (broken && body.query.endsWith(ending) ? fails(reply, 501) : tei(body, number, reply)),
    { concurrency: 1 },
  );
  const mend = (): void => {
    broken = false;
  };
  return { teacher, mend };
}

describe("scoring with Text Embeddings Inference", () => {
  test("puts a score on every passage and leaves all else as it was", async () => {
    await labelledFile(folder());
    const { server, teacher } = await teacherAt(tei);
    const report = await scoreData(scoreOptions(folder(), { teacher }), scoreContext());
    expect(report).toMatchObject({
      queries: 5,
      passages: 15,
      resumed: 0,
      replaced: 0,
      teacher: `${server.url}/rerank`,
    });
    const read = await readLabelledData(groupsOf(report), "auto");
    expect(read.findings.fatal.total).toBe(0);
    expect(read.queries.map(({ id, lang }) => [id, lang])).toEqual([1, 2, 3, 4, 5].map((at) => [`q${at}`, "en"]));
    for (const query of read.queries)
      for (const [passage, { label, teacher_score }] of query.judgements) {
        expect(teacher_score).toBe(scoreOf(query.text, read.passageTexts[passage] as string));
        expect(label).toBe(read.passageIds[passage]?.endsWith("-0") ? 1 : 0);
      }
  });

  test("asks for raw scores in batches of one query, cut by the server where too long", async () => {
    await labelledFile(folder());
    const { server, teacher } = await teacherAt(tei);
    await scoreData(scoreOptions(folder(), { teacher }), scoreContext());
    // 1, 2, 3, 4 and 5 passages in batches of two: 1 + 1 + 2 + 2 + 3.
    expect(server.requests).toHaveLength(9);
    for (const { body } of server.requests) {
      expect(body).toMatchObject({ raw_scores: true, truncate: true });
      expect(body.texts.length).toBeLessThanOrEqual(2);
    }
    expect(server.busiest).toBeLessThanOrEqual(3);
  });

  test("says how far the teacher agrees with the labels, and warns when not at all", async () => {
    await labelledFile(folder());
    // Longer passages score higher, and the relevant one is the shortest: no pair is ordered right.
    const { teacher } = await teacherAt(tei);
    const context = scoreContext();
    expect(await scoreData(scoreOptions(folder(), { teacher }), context)).toMatchObject({ agreement: 0 });
    expect(warnings(context)).toEqual([expect.stringContaining("no better than chance")]);
  });

  test("counts a tie as half a right order", async () => {
    await labelledFile(folder());
    const { teacher } = await teacherAt(({ texts }) => texts.map((_, index) => ({ index, score: 3 })));
    const report = await scoreData(scoreOptions(folder(), { teacher }), scoreContext());
    expect(report).toMatchObject({ agreement: 0.5, lowest: 3, highest: 3 });
  });

  test("replaces the scores of another teacher and says so", async () => {
    const passages = [{ text: "a", label: 1, teacher_score: 9 }];
    await writeFile(join(folder(), "labelled.jsonl"), `${JSON.stringify({ query: "q", passages })}\n`);
    const { teacher } = await teacherAt(tei);
    const context = scoreContext();
    const report = await scoreData(scoreOptions(folder(), { teacher }), context);
    expect(report).toMatchObject({ replaced: 1, agreement: null });
    expect(warnings(context)).toContain("1 passages had a teacher score; it is replaced");
    expect(await readFile(groupsOf(report), "utf8")).not.toContain("9");
  });
});

describe("scoring with /v1/rerank", () => {
  const rerank: Answer = ({ query, documents }) => ({
    results: documents.map((text, index) => ({ index, relevance_score: scoreOf(query, text) })).reverse(),
  });

  test("names the model and wants all documents back", async () => {
    await labelledFile(folder());
    const { server, teacher } = await teacherAt(rerank, { api: "rerank", model: "big" });
    await scoreData(scoreOptions(folder(), { teacher }), scoreContext());
    const [first] = server.requests;
    expect(first).toMatchObject({ path: "/v1/rerank", body: { model: "big", query: "query x", top_n: 1 } });
    const row = JSON.parse((await readFile(join(folder(), "scored.jsonl"), "utf8")).split("\n")[0] as string);
    expect(row.passages[0].teacher_score).toBe(scoreOf("query x", "passage 1 y"));
  });

  test("turns probabilities into logits when told to", async () => {
    await labelledFile(folder());
    const { teacher } = await teacherAt(
      ({ documents }) => ({
        results: documents.map((_, index) => ({ index, relevance_score: index === 0 ? 0.75 : 0 })),
      }),
      { api: "rerank", toLogits: true, batch: 10 },
    );
    const report = await scoreData(scoreOptions(folder(), { teacher }), scoreContext());
    // ln(0.75 / 0.25) = ln 3; 0 is taken as 1e-6.
    expect(report.highest).toBeCloseTo(Math.log(3), 8);
    expect(report.lowest).toBeCloseTo(Math.log(1e-6), 5);
  });

  test("warns of scores that look like probabilities, and refuses to turn others into logits", async () => {
    await labelledFile(folder());
    const fixed =
      (score: number): Answer =>
      ({ documents }) => ({
        results: documents.map((_, index) => ({ index, relevance_score: score })),
      });
    const { teacher } = await teacherAt(fixed(0.5), { api: "rerank" });
    const context = scoreContext();
    await scoreData(scoreOptions(folder(), { teacher }), context);
    expect(warnings(context)).toContainEqual(expect.stringContaining("--to-logits"));
    const wrong = await teacherAt(fixed(1.5), { api: "rerank", toLogits: true });
    const options = scoreOptions(folder(), { teacher: wrong.teacher, out: join(folder(), "other.jsonl") });
    await expect(scoreData(options, scoreContext())).rejects.toMatchObject({ hint: "leave --to-logits out" });
  });
});

describe("a reply that is not what was asked for", () => {
  test.each<[string, unknown]>([
    ["another shape", { scores: [1, 2] }],
    ["too few scores", []],
    [
      "a place twice",
      [
        { index: 0, score: 1 },
        { index: 0, score: 2 },
      ],
    ],
    ["a place that is not there", [{ index: 5, score: 1 }]],
    ["no number", [{ index: 0, score: null }]],
  ])("(%s) ends the run, and nothing is left to resume", async (_, reply) => {
    await labelledFile(folder());
    const { teacher } = await teacherAt(() => reply);
    await expect(scoreData(scoreOptions(folder(), { teacher }), scoreContext())).rejects.toMatchObject({
      code: "ENDPOINT_FAILED",
      message: expect.stringContaining("something other than"),
    });
    expect(existsSync(join(folder(), "scored.jsonl.work"))).toBe(false);
    expect(existsSync(join(folder(), "scored.jsonl"))).toBe(false);
  });
});

describe("a run that stops in the middle", () => {
  async function whole(): Promise<string> {
    const { teacher } = await teacherAt(tei);
    const out = join(folder(), "whole.jsonl");
    await scoreData(scoreOptions(folder(), { teacher, out }), scoreContext());
    return await readFile(out, "utf8");
  }

  test("by Ctrl-C ends with the same bytes when it goes on", async () => {
    await labelledFile(folder());
    const context = scoreContext();
    let hangs = true;
    // The first two queries take a request each; then the server hangs and the person has enough.
    const { server, teacher } = await teacherAt(
      (body, number, reply) => {
        if (!hangs || number <= 2) return tei(body, number, reply);
        context.stop();
        return undefined;
      },
      { concurrency: 1 },
    );
    await expect(scoreData(scoreOptions(folder(), { teacher }), context)).rejects.toMatchObject({
      code: "INTERRUPTED",
      hint: expect.stringContaining("--resume"),
    });
    hangs = false;
    const before = server.requests.length;
    const report = await scoreData(scoreOptions(folder(), { teacher, resume: true }), scoreContext());
    expect(report.resumed).toBe(2);
    // Of nine requests the two that were answered are not sent again.
    expect(server.requests.length - before).toBe(7);
    expect(await readFile(groupsOf(report), "utf8")).toBe(await whole());
    expect(existsSync(`${report.out}.work`)).toBe(false);
  });

  test("by a failing server, too, and the hint says how to go on", async () => {
    await labelledFile(folder());
    const { teacher, mend } = await brokenTeacher("xxxx");
    await expect(scoreData(scoreOptions(folder(), { teacher }), scoreContext())).rejects.toMatchObject({
      code: "ENDPOINT_FAILED",
      hint: expect.stringContaining("--resume"),
    });
    mend();
    const report = await scoreData(scoreOptions(folder(), { teacher, resume: true }), scoreContext());
    expect(report.resumed).toBe(3);
    expect(await readFile(groupsOf(report), "utf8")).toBe(await whole());
  });

  test("with a torn last line scores that query again", async () => {
    await labelledFile(folder());
    const { teacher, mend } = await brokenTeacher("xxx");
    await scoreData(scoreOptions(folder(), { teacher }), scoreContext()).catch(() => undefined);
    mend();
    const part = join(folder(), "scored.jsonl.work", "scored.jsonl");
    await writeFile(part, (await readFile(part, "utf8")).slice(0, -9));
    const report = await scoreData(scoreOptions(folder(), { teacher, resume: true }), scoreContext());
    expect(report.resumed).toBe(1);
    expect(await readFile(groupsOf(report), "utf8")).toBe(await whole());
  });

  test("is not mixed with another one, and not continued unasked", async () => {
    await labelledFile(folder());
    const { teacher, mend } = await brokenTeacher("xxx");
    await scoreData(scoreOptions(folder(), { teacher }), scoreContext()).catch(() => undefined);
    mend();
    await expect(scoreData(scoreOptions(folder(), { teacher }), scoreContext())).rejects.toMatchObject({
      code: "USAGE",
      hint: expect.stringContaining("--resume"),
    });
    const other = await teacherAt(tei);
    const options = scoreOptions(folder(), { teacher: other.teacher, resume: true });
    await expect(scoreData(options, scoreContext())).rejects.toMatchObject({
      message: expect.stringContaining("other teacher"),
    });
    await writeFile(join(folder(), "labelled.jsonl"), '{"query":"new","passages":[{"text":"t","label":1}]}\n');
    await expect(scoreData(scoreOptions(folder(), { teacher, resume: true }), scoreContext())).rejects.toMatchObject({
      message: expect.stringContaining("other labelled data"),
    });
  });
});

describe("data that cannot be scored", () => {
  test("is refused before a server is asked", async () => {
    const { server, teacher } = await teacherAt(tei);
    await expect(scoreData(scoreOptions(folder(), { teacher }), scoreContext())).rejects.toMatchObject({
      code: "DATA_NOT_FOUND",
    });
    await writeFile(join(folder(), "labelled.jsonl"), '{"query":"q","passages":[{"text":"t","label":"good"}]}\n');
    await expect(scoreData(scoreOptions(folder(), { teacher }), scoreContext())).rejects.toMatchObject({
      code: "DATA_INVALID",
      problems: [expect.objectContaining({ line: 1, path: "label" })],
    });
    expect(server.requests).toEqual([]);
    expect(existsSync(join(folder(), "scored.jsonl.work"))).toBe(false);
  });

  test("pairs in CSV become graded groups; repeated ones are told", async () => {
    await writeFile(join(folder(), "pairs.csv"), "query,passage,label\nq,a,1\nq,b,0\nq,b,0\nr,a,0\n");
    const { teacher } = await teacherAt(tei);
    const context = scoreContext();
    const options = scoreOptions(folder(), { teacher, source: join(folder(), "pairs.csv") });
    expect(await scoreData(options, context)).toMatchObject({ queries: 2, passages: 3 });
    expect(warnings(context)).toContain("1 pairs stand twice; one is kept");
    const progress = context.events.filter(
      (event): event is StageEvent & { type: "progress" } => event.type === "progress",
    );
    expect(progress.at(-1)).toMatchObject({ completed: 2, total: 2, unit: "queries" });
  });
});
