import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import type { LabelledData } from "../../../src/dataset/labelled.js";
import { readLabelledData } from "../../../src/dataset/readers/detect.js";
import { readRun } from "../../../src/dataset/readers/run.js";

async function folderWith(files: Record<string, string | Uint8Array>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "readers-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

async function read(name: string, content: string | Uint8Array): Promise<LabelledData> {
  return await readLabelledData(join(await folderWith({ [name]: content }), name), "auto");
}

/** Queries with their passages and labels, as plain text. */
function pairsOf(data: LabelledData): [string, string, number][] {
  return data.queries.flatMap((query) =>
    [...query.judgements].map(([passage, { label }]): [string, string, number] => [
      query.text,
      data.passageTexts[passage] ?? "",
      label,
    ]),
  );
}

const lines = (list: { listed: { line?: number }[] }) => list.listed.map(({ line }) => line);
const jsonl = (rows: unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

describe("pairs", () => {
  const expected = [
    ["what is vat", "a tax", 1],
    ["what is vat", "a dog", 0],
  ];

  test("are read from JSONL", async () => {
    const data = await read(
      "pairs.jsonl",
      jsonl([
        { query: "what is vat", passage: "a tax", label: 1 },
        { query: "what is vat", passage: "a dog", label: 0 },
      ]),
    );
    expect(data.format).toBe("pairs");
    expect(pairsOf(data)).toEqual(expected);
  });

  test.each([
    ["pairs.csv", "query,passage,label\nwhat is vat,a tax,1\nwhat is vat,a dog,0\n"],
    ["excel.csv", "\uFEFFQuery;Passage;Label\r\nwhat is vat;a tax;1\r\nwhat is vat;a dog;0\r\n"],
    ["pairs.tsv", "label\tpassage\tquery\n1\ta tax\twhat is vat\n0\ta dog\twhat is vat\n"],
  ])("are read from %s", async (name, content) => {
    expect(pairsOf(await read(name, content))).toEqual(expected);
  });

  test("are read from a packed file", async () => {
    const data = await read(
      "pairs.csv.gz",
      gzipSync("query,passage,label\nwhat is vat,a tax,1\nwhat is vat,a dog,0\n"),
    );
    expect(pairsOf(data)).toEqual(expected);
  });

  test("keep line breaks in quoted fields, and name the line on which a row begins", async () => {
    const data = await read("pairs.csv", 'query,passage,label\nq,"one\ntwo",1\nq,three,yes\nq,four,no\n');
    expect(pairsOf(data)).toEqual([["q", "one\ntwo", 1]]);
    expect(lines(data.findings.fatal)).toEqual([4, 5]);
  });

  test("with a word as label are fatal, on the very line", async () => {
    const data = await read(
      "pairs.jsonl",
      jsonl([
        { query: "q", passage: "p", label: 1 },
        { query: "q", passage: "r", label: "relevant" },
      ]),
    );
    expect(data.findings.fatal.listed).toMatchObject([
      { line: 2, path: "label", message: "`label` is a word, not a number" },
    ]);
  });

  test("name a missing column once, with the columns there are", async () => {
    const data = await read("pairs.csv", "question,passage,label\nq,p,1\nq,r,0\n");
    expect(data.findings.fatal.listed).toMatchObject([
      { line: 1, message: "has no column `query`; the columns are question, passage, label" },
    ]);
  });

  test("name each line that is not JSON", async () => {
    const data = await read("pairs.jsonl", '{"query":"q","passage":"p","label":1}\n{"query":\n\nnot json\n');
    expect(lines(data.findings.fatal)).toEqual([2, 4]);
  });

  test("with a row of another width are fatal", async () => {
    const data = await read("pairs.csv", "query,passage,label\nq,p,1\nq,has, a comma,1\n");
    expect(data.findings.fatal.listed).toMatchObject([{ line: 3, message: "has 4 fields, the first row has 3" }]);
  });

  test("keep line separators that JSON allows inside a text", async () => {
    const data = await read("pairs.jsonl", '{"query":"q","passage":"one\u2028two","label":1}\n');
    expect(pairsOf(data)).toEqual([["q", "one\u2028two", 1]]);
  });

  test("in a damaged packed table say which file", async () => {
    const damaged = gzipSync(Buffer.from("query,passage,label\nq,p,1\n".repeat(50))).subarray(0, 40);
    await expect(read("pairs.csv.gz", damaged)).rejects.toMatchObject({ code: "DATA_INVALID" });
  });

  test("with empty texts are left out and counted", async () => {
    const data = await read("pairs.csv", "query,passage,label\nq,p,1\n ,p,1\nq,,0\n");
    expect(pairsOf(data)).toEqual([["q", "p", 1]]);
    expect(lines(data.findings.empty)).toEqual([3, 4]);
  });

  test("that repeat a pair are dropped and counted", async () => {
    const data = await read("pairs.csv", "query,passage,label\nq,p,1\nq,p,1\n");
    expect(pairsOf(data)).toHaveLength(1);
    expect(lines(data.findings.duplicates)).toEqual([3]);
  });

  test.each([
    ["0", "1"],
    ["1", "0"],
  ])("that contradict each other (%s, then %s) keep the higher label, with both lines", async (first, second) => {
    const data = await read("pairs.csv", `query,passage,label\nq,p,${first}\nq,p,${second}\n`);
    expect(pairsOf(data)).toEqual([["q", "p", 1]]);
    expect(data.findings.conflicts.listed[0]).toMatchObject({ line: 3, message: expect.stringContaining("line 2") });
  });

  test("that are not UTF-8 are reported", async () => {
    const data = await read("pairs.csv", Buffer.from("query,passage,label\nq,Stra\xdfe,1\n", "latin1"));
    expect(lines(data.findings.encoding)).toEqual([2]);
  });

  test("list at most 50 problems and count all", async () => {
    const data = await read(
      "pairs.jsonl",
      jsonl([{ query: "q", passage: "p", label: 1 }, ...Array(70).fill({ query: "q", passage: "p", label: "x" })]),
    );
    expect(data.findings.fatal.listed).toHaveLength(50);
    expect(data.findings.fatal.total).toBe(70);
    expect(() => data.findings.throwIfFatal("pairs.jsonl")).toThrow(/70 problems in pairs.jsonl/);
  });
});

describe("graded groups", () => {
  test("keep grades, teacher scores, titles, languages and group keys", async () => {
    const data = await read(
      "groups.jsonl",
      jsonl([
        {
          query_id: "x7",
          query: "q",
          lang: "de",
          group: "doc1",
          passages: [
            { id: "a", title: "T", text: "one", label: 2, teacher_score: 3.5 },
            { id: "b", text: "two", label: 0 },
          ],
        },
      ]),
    );
    expect(pairsOf(data)).toEqual([
      ["q", "T one", 2],
      ["q", "two", 0],
    ]);
    expect(data.queries[0]).toMatchObject({ id: "x7", lang: "de", groups: ["doc1"] });
    expect([...(data.queries[0]?.judgements.values() ?? [])][0]?.teacher_score).toBe(3.5);
    expect(data.passageIds).toEqual(["a", "b"]);
  });

  test("that use one id for two texts get ids of their own", async () => {
    const data = await read(
      "groups.jsonl",
      jsonl([
        { query: "q", passages: [{ id: "0", text: "one", label: 1 }] },
        { query: "r", passages: [{ id: "0", text: "two", label: 1 }] },
      ]),
    );
    expect(data.passageTexts).toEqual(["one", "two"]);
    expect(new Set(data.passageIds).size).toBe(2);
  });

  test("name the line of a broken passage", async () => {
    const data = await read(
      "groups.jsonl",
      jsonl([
        { query: "q", passages: [{ text: "one", label: 1 }] },
        { query: "r", passages: ["two"] },
        { query: "s", passages: [{ text: "x" }] },
      ]),
    );
    expect(lines(data.findings.fatal)).toEqual([2, 3]);
  });
});

describe("FlagEmbedding rows", () => {
  test("give positives 1, negatives 0, and keep teacher scores", async () => {
    const data = await read(
      "rows.jsonl",
      jsonl([{ query: "q", pos: ["good"], neg: ["bad", "worse"], pos_scores: [9], neg_scores: [1, -2] }]),
    );
    expect(pairsOf(data)).toEqual([
      ["q", "good", 1],
      ["q", "bad", 0],
      ["q", "worse", 0],
    ]);
    expect([...(data.queries[0]?.judgements.values() ?? [])].map((judgement) => judgement.teacher_score)).toEqual([
      9, 1, -2,
    ]);
  });

  test("that call a text both positive and negative are a conflict", async () => {
    const data = await read("rows.jsonl", jsonl([{ query: "q", pos: ["same"], neg: ["same", "other"] }]));
    expect(pairsOf(data)).toEqual([
      ["q", "same", 1],
      ["q", "other", 0],
    ]);
    expect(data.findings.conflicts.total).toBe(1);
  });

  test("with too few teacher scores are fatal", async () => {
    const data = await read("rows.jsonl", jsonl([{ query: "q", pos: ["a", "b"], neg: [], pos_scores: [1] }]));
    expect(data.findings.fatal.listed).toMatchObject([{ line: 1, path: "pos_scores" }]);
  });
});

const BEIR = {
  "corpus.jsonl": jsonl([
    { _id: "d1", title: "Title", text: "one" },
    { _id: "d2", title: "", text: "two" },
    { _id: "d3", text: "three" },
  ]),
  "queries.jsonl": jsonl([
    { _id: "q1", text: "first", group: ["a", "b"] },
    { _id: "q2", text: "second" },
    { _id: "q3", text: "unjudged" },
  ]),
  "qrels/train.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t-1\n",
  "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq2\td2\t1\n",
};

describe("a BEIR folder", () => {
  test("keeps ids, split, titles and group keys; negative labels count as 0", async () => {
    const data = await readLabelledData(await folderWith(BEIR), "auto");
    expect(data.passageTexts).toEqual(["Title one", "two", "three"]);
    const seen = data.queries.map(({ id, split, groups, judgements }) => ({
      id,
      split,
      groups,
      labels: [...judgements].map(([p, { label }]) => [p, label]),
    }));
    expect(seen.sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
      {
        id: "q1",
        split: "train",
        groups: ["a", "b"],
        labels: [
          [0, 2],
          [1, 0],
        ],
      },
      { id: "q2", split: "test", groups: [], labels: [[1, 1]] },
    ]);
  });

  test("is read when packed", async () => {
    const { "corpus.jsonl": corpus, "queries.jsonl": queries, ...qrels } = BEIR;
    const data = await readLabelledData(
      await folderWith({ ...qrels, "corpus.jsonl.gz": gzipSync(corpus), "queries.jsonl.gz": gzipSync(queries) }),
      "beir",
    );
    expect(data.queries).toHaveLength(2);
  });

  test("names the lines of unknown ids", async () => {
    const data = await readLabelledData(
      await folderWith({ ...BEIR, "qrels/train.tsv": "q1\td1\t1\nq9\td1\t1\nq1\td9\t1\n" }),
      "auto",
    );
    expect(data.findings.fatal.listed).toMatchObject([
      { line: 2, path: "query-id" },
      { line: 3, path: "corpus-id" },
    ]);
  });

  test("without judgements says what is missing", async () => {
    const { "qrels/train.tsv": _train, "qrels/test.tsv": _test, ...rest } = BEIR;
    await expect(readLabelledData(await folderWith(rest), "auto")).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringContaining("has no qrels"),
    });
  });

  test("with a damaged packed file says which", async () => {
    const { "corpus.jsonl": corpus, ...rest } = BEIR;
    const damaged = gzipSync(corpus.repeat(50)).subarray(0, 40);
    await expect(
      readLabelledData(await folderWith({ ...rest, "corpus.jsonl.gz": damaged }), "auto"),
    ).rejects.toMatchObject({ code: "DATA_INVALID", message: expect.stringContaining("corpus.jsonl.gz") });
  });
});

describe("a run", () => {
  async function runOf(content: string) {
    const folder = await folderWith({ ...BEIR, "run.trec": content });
    const data = await readLabelledData(folder, "auto");
    return { data, run: await readRun(join(folder, "run.trec"), data) };
  }

  test("is ordered by score, then by rank", async () => {
    const { run } = await runOf("q1 Q0 d3 1 5 mine\nq1 Q0 d2 3 7 mine\nq1 Q0 d1 2 7 mine\n");
    expect(run).toEqual({ tag: "mine", ranked: new Map([["q1", [0, 1, 2]]]) });
  });

  test("names unknown passages as fatal, unknown queries as left out", async () => {
    const { data } = await runOf("q1 Q0 d1 1 5 t\nq1 Q0 d9 2 4 t\nq8 Q0 d1 1 5 t\n");
    expect(lines(data.findings.fatal)).toEqual([2]);
    expect(lines(data.findings.unknown)).toEqual([3]);
  });

  test("that holds none of the queries is fatal", async () => {
    const { data } = await runOf("q8 Q0 d1 1 5 t\n");
    expect(data.findings.fatal.listed).toMatchObject([{ message: "holds no query of the labelled data" }]);
  });
});

describe("the form", () => {
  test("of a missing file is DATA_NOT_FOUND", async () => {
    await expect(readLabelledData("/nowhere/pairs.jsonl", "auto")).rejects.toMatchObject({ code: "DATA_NOT_FOUND" });
  });

  test("that cannot be told names the keys found", async () => {
    await expect(read("rows.jsonl", jsonl([{ question: "q", answer: "a" }]))).rejects.toMatchObject({
      code: "DATA_INVALID",
      problems: [{ line: 1, message: "has the keys question, answer" }],
    });
  });

  test("of an empty file is DATA_INVALID", async () => {
    await expect(read("rows.jsonl", "\n")).rejects.toMatchObject({ code: "DATA_INVALID" });
  });
});
