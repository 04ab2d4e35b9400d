import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Findings } from "../../../src/dataset/findings.js";
import { type FirstStage, findCandidates } from "../../../src/evaluation/first-stage.js";
import { type EvaluationGroup, evaluationGroups } from "../../../src/evaluation/groups.js";
import { type EvaluationSplit, readSplit } from "../../../src/evaluation/split.js";
import type { StageEvent } from "../../../src/events.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";
import { PASSAGES, QRELS, RUN, writeBeir } from "./beir-folder.js";

interface Found {
  split: EvaluationSplit;
  stage: FirstStage;
  groups: EvaluationGroup[];
  events: StageEvent[];
}

async function find(
  files: Record<string, string | undefined>,
  options: { run?: string; depth?: number; queries?: number; split?: string; signal?: AbortSignal } = {},
): Promise<Found & { folder: string }> {
  const folder = await writeBeir(await temporaryFolder(), files);
  const findings = new Findings();
  const events: StageEvent[] = [];
  const { run, depth, queries, split: name = "dev", signal = new AbortController().signal } = options;
  const split = await readSplit(folder, name, queries, findings);
  const request = { folder, signal, emit: (event: StageEvent) => void events.push(event) };
  const stage = await findCandidates(
    {
      ...request,
      ...(run === undefined ? {} : { run: join(folder, run) }),
      ...(depth === undefined ? {} : { depth }),
    },
    split.queries,
    findings,
  );
  return { folder, split, stage, groups: evaluationGroups(split.queries, stage), events };
}

const ids = (group: EvaluationGroup | undefined) => group?.candidates.map(({ id }) => id);
const notes = (events: StageEvent[]) => events.flatMap((event) => (event.type === "note" ? [event.message] : []));

describe("the groups of a split", () => {
  test("have the run's candidates in its order, with text, label and whether somebody judged them", async () => {
    const { groups } = await find({ "my.trec": RUN }, { run: "my.trec" });
    expect(groups[0]).toEqual({
      query_id: "q1",
      query: "appeal deadline",
      candidates: [
        { id: "d1", text: PASSAGES.d1, label: 0, judged: true, first_stage_score: 3 },
        { id: "d4", text: PASSAGES.d4, label: 2, judged: true, first_stage_score: 2 },
        { id: "d5", text: PASSAGES.d5, label: 0, judged: false, first_stage_score: 1 },
      ],
      missed: [{ label: 1 }],
    });
    expect(groups.map(({ missed }) => missed.length)).toEqual([1, 1, 0]);
  });

  test("hold the texts of candidates alone", async () => {
    const { stage } = await find({ "my.trec": RUN }, { run: "my.trec" });
    expect([...stage.texts.keys()].sort()).toEqual(["d1", "d3", "d4", "d5", "d6"]);
  });

  test("are the same from packed files", async () => {
    const plain = await find({ "my.trec": RUN }, { run: "my.trec" });
    const corpus = Object.entries(PASSAGES)
      .map(([_id, text]) => JSON.stringify({ _id, text }))
      .join("\n");
    const packed = await find(
      { "corpus.jsonl": undefined, "corpus.jsonl.gz": corpus, "my.trec.gz": RUN },
      { run: "my.trec.gz" },
    );
    expect(packed.groups).toEqual(plain.groups);
  });

  test("keep a query that the run lacks, without candidates", async () => {
    const { groups } = await find({ "my.trec": RUN.replaceAll("q2 ", "unknown ") }, { run: "my.trec" });
    expect(groups[1]).toMatchObject({ query_id: "q2", candidates: [], missed: [{ label: 1 }] });
  });

  test("follow the scores and not the rank column, ties by id downwards, as trec_eval does", async () => {
    const run = "q3 Q0 d1 1 1 x\nq3 Q0 d3 2 1 x\nq3 Q0 d2 3 9 x\nq3 Q0 d10 4 1 x\n".replace("d10", "d5");
    const { groups } = await find({ "my.trec": run }, { run: "my.trec" });
    expect(ids(groups[2])).toEqual(["d2", "d5", "d3", "d1"]);
  });

  test("join title and text as BEIR does", async () => {
    const corpus = Object.keys(PASSAGES).map((_id) => JSON.stringify({ _id, title: "Title", text: "text" }));
    const { stage } = await find({ "corpus.jsonl": corpus.join("\n"), "my.trec": RUN }, { run: "my.trec" });
    expect(stage.texts.get("d1")).toBe("Title text");
  });
});

describe("the first stage", () => {
  test("is the run in the folder when none is named, and says so", async () => {
    const { stage, folder } = await find({ "bm25.trec.gz": RUN });
    expect([stage.source, stage.run, stage.name]).toEqual(["found", join(folder, "bm25.trec.gz"), "first"]);
  });

  test("is found as BM25.trec too", async () => {
    expect((await find({ "BM25.trec": RUN })).stage.source).toBe("found");
  });

  test("is BM25 over the corpus without any run, and says so", async () => {
    const { stage, groups, events } = await find({});
    expect([stage.source, stage.run]).toEqual(["bm25", null]);
    expect(ids(groups[0])).toEqual(["d4", "d1"]);
    expect(groups[0]?.candidates[0]?.first_stage_score).toBeGreaterThan(0);
    expect(notes(events)).toEqual([expect.stringContaining("BM25 gives up to 100")]);
  });

  test("gives BM25 candidates up to the depth", async () => {
    expect(ids((await find({}, { depth: 1 })).groups[0])).toEqual(["d4"]);
  });

  test("is taken whole from a run, unless a depth is given, and then says how much was cut", async () => {
    const { groups, events } = await find({ "my.trec": RUN }, { run: "my.trec", depth: 2 });
    expect(ids(groups[0])).toEqual(["d1", "d4"]);
    expect(notes(events)).toEqual([expect.stringContaining("up to 3")]);
  });
});

describe("a sample of queries", () => {
  const many = `${Array.from({ length: 40 }, (_, number) => `q${number}\td1\t1`).join("\n")}\n`;
  const texts = Array.from({ length: 40 }, (_, number) => JSON.stringify({ _id: `q${number}`, text: "x" })).join("\n");
  const drawn = async (qrels: string) => {
    const folder = await writeBeir(await temporaryFolder(), { "qrels/dev.tsv": qrels, "queries.jsonl": texts });
    return await readSplit(folder, "dev", 5, new Findings());
  };

  test("is the same every time, whatever the order of the file", async () => {
    const [forward, backward] = [await drawn(many), await drawn(many.split("\n").reverse().join("\n"))];
    const names = ({ queries }: EvaluationSplit) => queries.map(({ id }) => id).sort();
    expect(names(forward)).toEqual(names(backward));
    expect(new Set(names(forward)).size).toBe(5);
    expect(forward.sample).toEqual({ queries: 5, of: 40, seed: 7 });
  });

  test("is no sample when it would be all of them", async () => {
    const folder = await writeBeir(await temporaryFolder());
    expect((await readSplit(folder, "dev", 3, new Findings())).sample).toBeNull();
  });
});

describe("qrels", () => {
  test("may have TREC's four columns and no heading", async () => {
    const { groups } = await find({ "qrels/dev.tsv": "q3 0 d3 1\n", "my.trec": RUN }, { run: "my.trec" });
    expect(groups.map(({ query_id }) => query_id)).toEqual(["q3"]);
  });

  test("count a pair that is judged twice by its higher label", async () => {
    const { split, groups } = await find(
      { "qrels/dev.tsv": `${QRELS}q3\td3\t0\n`, "my.trec": RUN },
      { run: "my.trec" },
    );
    expect(split.conflicts).toBe(1);
    expect(groups[2]?.candidates[0]?.label).toBe(1);
  });

  test("may judge passages that are not in the corpus; relevant ones count as missed", async () => {
    const { groups } = await find({ "qrels/dev.tsv": `${QRELS}q3\tgone\t1\n`, "my.trec": RUN }, { run: "my.trec" });
    expect(groups[2]?.missed).toEqual([{ label: 1 }]);
  });
});

describe("bad input", () => {
  const refused = (
    files: Record<string, string | undefined>,
    options: Parameters<typeof find>[1],
    expected: Record<string, unknown>,
  ) => expect(find(files, options)).rejects.toMatchObject(expected);
  const problem = (line: number, message: string) => ({
    code: "DATA_INVALID",
    problems: [expect.objectContaining({ line, message: expect.stringContaining(message) })],
  });

  test("a split that is not there is answered with those that are", async () => {
    await refused({}, { split: "test" }, { code: "DATA_NOT_FOUND", hint: "use --split dev" });
  });

  test("a missing corpus is named", async () => {
    await refused(
      { "corpus.jsonl": undefined },
      {},
      {
        code: "DATA_NOT_FOUND",
        message: expect.stringContaining("corpus.jsonl"),
      },
    );
  });

  test("a run that is not there is named", async () => {
    await refused({}, { run: "no.trec" }, { code: "DATA_NOT_FOUND", hint: expect.stringContaining("--run") });
  });

  test.each([
    ["a line of a run that is none", "q1 Q0 d1 1 high x\n", problem(1, "is not `query Q0")],
    ["a passage twice for one query", "q1 Q0 d1 1 2 x\nq1 Q0 d1 2 1 x\n", problem(2, "repeats a passage")],
    ["a passage that the corpus lacks", "q1 Q0 d1 1 2 x\nq1 Q0 d77 2 1 x\n", problem(2, "corpus.jsonl does not have")],
    ["no query of the split", "q7 Q0 d1 1 2 x\n", { code: "DATA_INVALID" }],
  ])("%s is refused", async (_, run, expected) => {
    await refused({ "my.trec": run }, { run: "my.trec" }, expected);
  });

  test("a judged query without text is named by its line in the qrels", async () => {
    await refused({ "qrels/dev.tsv": `${QRELS}q9\td1\t1\n` }, {}, problem(7, "queries.jsonl does not have"));
  });

  test("qrels without a judgement are refused", async () => {
    await refused({ "qrels/dev.tsv": "query-id\tcorpus-id\tscore\n" }, {}, { code: "DATA_INVALID" });
  });

  test("a candidate's text twice in the corpus is refused", async () => {
    const line = JSON.stringify({ _id: "d1", text: "again" });
    const corpus = Object.entries(PASSAGES).map(([_id, text]) => JSON.stringify({ _id, text }));
    await refused(
      { "corpus.jsonl": [...corpus, line].join("\n"), "my.trec": RUN },
      { run: "my.trec" },
      problem(7, "repeats an `_id`"),
    );
  });

  test("a stop while the corpus is read is a stop", async () => {
    await refused({ "my.trec": RUN }, { run: "my.trec", signal: AbortSignal.abort() }, { code: "INTERRUPTED" });
  });

  test("a damaged .gz file is named", async () => {
    const folder = await writeBeir(await temporaryFolder());
    await writeFile(join(folder, "bm25.trec.gz"), gzipSync(RUN).subarray(0, 60));
    const findings = new Findings();
    const { queries } = await readSplit(folder, "dev", undefined, findings);
    const request = { folder, signal: new AbortController().signal, emit: () => undefined };
    await expect(findCandidates(request, queries, findings)).rejects.toMatchObject({ code: "DATA_INVALID" });
  });
});
