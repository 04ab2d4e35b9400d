import { describe, expect, test } from "vitest";
import { DATA_FORMS, FOLDER_FORMS, FORM_EXAMPLES } from "../../../src/dataset/forms.js";
import { readLabelledData } from "../../../src/dataset/readers/detect.js";
import { prepareSchema } from "../../../src/stages/prepare/schema.js";
import { folderWith, jsonl, places, readRowsOf } from "../../helpers/labelled-files.js";

describe("the form of a file", () => {
  test.each([
    ["pairs", { query: "q", passage: "p", label: 1 }],
    ["groups", { query: "q", passages: [] }],
    ["flag_embedding", { query: "q", pos: [], neg: [] }],
    ["sentence_transformers", { anchor: "q", positive: "p", negative: "n" }],
    ["sentence_transformers", { query: "q", docs: ["a"], labels: [1] }],
    ["sentence_transformers", { question: "q", answer: ["a"], scores: [1] }],
    ["ms_swift", { messages: [], positive_messages: [] }],
    ["tevatron", { query: "q", positive_passages: [] }],
    ["rag_retrieval", { query: "q", content: "p", label: 1 }],
    ["rag_retrieval", { query: "q", hits: [] }],
    ["cohere", { query: "q", relevant_passages: [], hard_negatives: [] }],
  ] as const)("is %s by its names", async (form, row) => {
    expect((await readRowsOf([row])).format).toBe(form);
  });

  test.each([
    [{ query: "q", passages: ["a"], labels: [1] }, "groups or sentence_transformers"],
    [{ query: "q", text: "p", label: 1 }, "pairs or sentence_transformers"],
    [{ query: "q", passage: "p", score: 1 }, "pairs or sentence_transformers"],
    [{ query: "q", pos: ["a"], hits: [] }, "flag_embedding or rag_retrieval"],
  ])("that may be two is an error with both names", async (row, names) => {
    await expect(readRowsOf([row])).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringContaining(names),
      hint: `say which: ${names.replace(/\w+_?\w*/g, (word) => (word === "or" ? word : `\`prepare.format: ${word}\``))}`,
      problems: [{ line: 1 }],
    });
  });

  test("is settled by a later row where the first leaves it open", async () => {
    const data = await readRowsOf([
      { query: "q", passages: [], labels: [] },
      { query: "r", passages: [{ text: "a", label: 1 }] },
    ]);
    expect(data.format).toBe("groups");
  });

  test("that changes between rows is an error that names both lines", async () => {
    await expect(
      readRowsOf([
        { query: "q", pos: ["a"], neg: [] },
        { query: "q", passage: "p", label: 1 },
      ]),
    ).rejects.toMatchObject({
      message: expect.stringMatching(/mixes rows .*flag_embedding or pairs/),
      problems: [{ line: 1 }, { line: 2 }],
    });
  });

  test("is found although the first line is broken, which its reader then names", async () => {
    const data = await readRowsOf(`{"query":\n${jsonl([{ query: "q", pos: ["a"], neg: [] }])}`);
    expect(data.format).toBe("flag_embedding");
    expect(places(data.findings.fatal)).toEqual(["1"]);
  });

  test("of a table is one that a table can hold", async () => {
    const data = await readRowsOf("query,pos,neg\nq,a,b\n", "auto", "rows.csv");
    expect(data.format).toBe("pairs");
    expect(places(data.findings.fatal)).toEqual(["1 passage", "1 label"]);
  });

  test("given by name is taken at its word", async () => {
    const data = await readRowsOf([{ query: "q", text: "p", label: 1 }], "sentence_transformers");
    expect(data.format).toBe("sentence_transformers");
  });
});

describe("the form of a folder", () => {
  test("with judgements in a folder and in a file names both", async () => {
    const folder = await folderWith({
      "corpus.jsonl": "{}",
      "queries.jsonl": "{}",
      "qrels/test.tsv": "q\td\t1\n",
      "qrels.txt": "q 0 d 1\n",
    });
    await expect(readLabelledData(folder, "auto")).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringContaining("beir or trec"),
    });
  });

  test("cannot be that of a file", async () => {
    await expect(readLabelledData(await folderWith({}), "cohere")).rejects.toMatchObject({ code: "DATA_INVALID" });
  });
});

describe("the list of forms", () => {
  test("is the recipe's enum, and each has an example", () => {
    for (const form of ["auto", ...DATA_FORMS]) expect(prepareSchema.parse({ format: form }).format).toBe(form);
    expect(prepareSchema.safeParse({ format: "xml" }).success).toBe(false);
    expect(Object.keys(FORM_EXAMPLES)).toEqual([...DATA_FORMS]);
    expect(FOLDER_FORMS.every((form) => DATA_FORMS.includes(form))).toBe(true);
  });
});
