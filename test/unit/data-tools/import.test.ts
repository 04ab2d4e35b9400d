import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { dataImport, importText } from "../../../src/commands/data-import.js";
import { type ImportOptions, importData } from "../../../src/data-tools/import.js";
import { folderWith, jsonl } from "../../helpers/labelled-files.js";

const COHERE = jsonl([
  {
    query: "Wie hoch ist die Quellensteuer?",
    relevant_passages: ["Der Tarif hängt vom Kanton ab."],
    hard_negatives: ["Die Mehrwertsteuer beträgt 8,1 %.", "  "],
  },
  { query: "源泉徴収とは", relevant_passages: ["給与から差し引く税"], hard_negatives: [], note: "x" },
]);

async function run(content: string | Record<string, string>, options: Partial<ImportOptions> = {}) {
  const files = typeof content === "string" ? { "in.jsonl": content } : content;
  const folder = await folderWith(files);
  const { out = "out.jsonl", path = typeof content === "string" ? "in.jsonl" : "", ...rest } = options;
  const result = await importData({
    from: "auto",
    to: "groups",
    emit: () => undefined,
    ...rest,
    path: join(folder, path),
    out: join(folder, out),
  });
  return { result, folder, text: out.endsWith(".jsonl") ? await readFile(join(folder, out), "utf8") : "" };
}

const rowsOf = (text: string): unknown[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);

describe("data import", () => {
  test("turns Cohere's rows into graded groups and counts what it met", async () => {
    const { result, text } = await run(COHERE);
    expect(rowsOf(text)).toEqual([
      {
        query: "Wie hoch ist die Quellensteuer?",
        passages: [
          { text: "Der Tarif hängt vom Kanton ab.", label: 1 },
          { text: "Die Mehrwertsteuer beträgt 8,1 %.", label: 0 },
        ],
      },
      { query: "源泉徴収とは", passages: [{ text: "給与から差し引く税", label: 1 }] },
    ]);
    expect(result).toMatchObject({
      from: "cohere",
      to: "groups",
      queries: 2,
      judgements: 3,
      positives: 2,
      passages: 3,
      without_positives: 0,
      settled: { empty: { total: 1, listed: [{ line: 1 }] }, duplicates: { total: 0 } },
      unused_fields: { note: 1 },
      lost: [],
    });
  });

  test("imports what it wrote into the same bytes", async () => {
    const first = await run(COHERE);
    const second = await run(first.text);
    expect(second.text).toBe(first.text);
    expect(second.result.from).toBe("groups");
  });

  test("names all malformed rows at once and writes nothing", async () => {
    const folder = await folderWith({
      "in.jsonl": `${jsonl([{ query: "q", relevant_passages: ["a"] }, { query: 3, relevant_passages: ["a"] }, { query: "r" }])}{\n`,
    });
    const [path, out] = [join(folder, "in.jsonl"), join(folder, "out.jsonl")];
    await expect(importData({ path, out, from: "auto", to: "groups", emit: () => undefined })).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: `3 problems in ${path}.`,
      problems: [{ file: path, line: 2 }, { line: 3 }, { line: 4 }],
    });
    expect(await readdir(folder)).toEqual(["in.jsonl"]);
  });

  test("names files as they were typed, and the output in full for machines", async () => {
    const folder = await folderWith({ "in.jsonl": COHERE, "bad.jsonl": "{\n" });
    const typed = (name: string) => relative(process.cwd(), join(folder, name));
    const { signal } = new AbortController();
    const python = () => Promise.reject(new Error("not asked for"));
    const context = { signal, emit: () => undefined, home: folder, python };
    const importing = (path: string, out: string) =>
      dataImport(typed(path), { out: typed(out), from: "auto", to: "groups" }, context);
    await expect(importing("bad.jsonl", "out.jsonl")).rejects.toMatchObject({
      message: expect.stringContaining(typed("bad.jsonl")),
      problems: [{ file: typed("bad.jsonl"), line: 1 }],
    });
    await expect(importing("none.jsonl", "out.jsonl")).rejects.toMatchObject({
      message: expect.stringContaining(` ${typed("none.jsonl")}`),
    });
    await expect(importing("in.jsonl", "bad.jsonl")).rejects.toMatchObject({
      message: `${typed("bad.jsonl")} is there already.`,
    });
    await expect(importing("in.jsonl", "no/out.jsonl")).rejects.toMatchObject({
      hint: `make it first: \`mkdir -p ${typed("no")}\``,
    });
    expect(await importing("in.jsonl", "out.jsonl")).toMatchObject({ essential: join(folder, "out.jsonl") });
  });

  test("names both forms and the flag where the rows leave it open", async () => {
    await expect(run(jsonl([{ query: "q", text: "p", label: 1 }]))).rejects.toMatchObject({
      message: expect.stringContaining("pairs or sentence_transformers"),
      hint: "say which: `--from pairs` or `--from sentence_transformers`",
    });
  });

  test("says what FlagEmbedding cannot hold", async () => {
    const groups = jsonl([
      {
        query: "ü",
        passages: [
          { text: "a", label: 2 },
          { text: "b", label: 0 },
        ],
        lang: "de",
      },
      { query: "漢", passages: [{ text: "b", label: 0 }] },
    ]);
    const { result, text } = await run(groups, { to: "flag_embedding" });
    expect(rowsOf(text)).toEqual([
      { query: "ü", pos: ["a"], neg: ["b"] },
      { query: "漢", pos: [], neg: ["b"] },
    ]);
    expect(result.lost).toMatchObject([
      { feature: "grades", count: 1 },
      { feature: "languages", count: 1 },
    ]);
    expect(result.without_positives).toBe(1);
  });

  test("brings a TREC folder with its run into groups and counts the passages that nobody judged or retrieved", async () => {
    const { result, text } = await run(
      {
        "set/corpus.tsv": "d1\teins\nd2\tzwei\nd3\tdrei\n",
        "set/queries.tsv": "7\tFrage\n8\tunbeurteilt\n",
        "set/qrels.txt": "7 0 d1 1\n",
        "set/run.txt": "7 Q0 d2 1 3.5 bm25\n",
      },
      { path: "set" },
    );
    expect(rowsOf(text)).toEqual([
      {
        query_id: "7",
        query: "Frage",
        passages: [
          { id: "d1", text: "eins", label: 1 },
          { id: "d2", text: "zwei", label: 0, source: "run" },
        ],
      },
    ]);
    expect(result).toMatchObject({ unjudged_queries: 1, lost: [{ feature: "unjudged_passages", count: 1 }] });
  });

  test("writes a BEIR folder that keeps a collection whole", async () => {
    const files = {
      "set/corpus.jsonl": jsonl([
        { _id: "d1", text: "gleich" },
        { _id: "d2", text: "gleich" },
      ]),
      "set/queries.jsonl": jsonl([{ _id: "q", text: "Frage" }]),
      "set/qrels/all.tsv": "q\td1\t1\n",
    };
    const { folder, result } = await run(files, { path: "set", to: "beir", out: "copy" });
    expect((await readFile(join(folder, "copy/corpus.jsonl"), "utf8")).trimEnd().split("\n")).toHaveLength(2);
    expect(result.lost).toEqual([]);
  });

  test.each([
    ["in.jsonl", "USAGE", "is there already"],
    ["out.csv", "USAGE", "does not end in .jsonl"],
    ["no/such/out.jsonl", "NOT_WRITABLE", "does not exist"],
  ])("refuses --out %s", async (out, code, message) => {
    await expect(run(COHERE, { out })).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test("refuses data without a single pair", async () => {
    await expect(run(jsonl([{ query: "q", pos: [], neg: [] }]))).rejects.toMatchObject({ code: "DATA_INVALID" });
  });
});

describe("what data import prints", () => {
  test("is counts and places, never a text of the data", async () => {
    const { result } = await run(COHERE);
    const text = importText(result, "rerank-tune", (_, words) => words);
    expect(text).toContain("cohere -> groups: 2 queries, 3 judged passages (2 relevant)");
    expect(text).toContain("1 texts are empty; their rows are left out (hard_negatives: in.jsonl:1)");
    expect(text).toContain("1 rows have a field note that is not used");
    expect(text).not.toMatch(/Quellensteuer|源泉/);
  });
});
