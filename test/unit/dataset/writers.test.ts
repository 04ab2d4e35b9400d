import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { TARGET_FORMS, type TargetForm } from "../../../src/dataset/forms.js";
import { joinEqualTexts } from "../../../src/dataset/join-texts.js";
import type { LabelledData } from "../../../src/dataset/labelled.js";
import { readLabelledData } from "../../../src/dataset/readers/detect.js";
import { writeLabelledData } from "../../../src/dataset/writers/write.js";
import { folderWith, jsonl, readRowsOf } from "../../helpers/labelled-files.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

/** Everything the canonical form can say: grades, two positives, only negatives, scores, titles, languages, keys, splits. */
const FULL = [
  {
    query_id: "f1",
    query: "Wann verjährt eine Forderung?",
    passages: [
      { id: "or-127", title: "OR 127", text: "Nach zehn Jahren.", label: 3, teacher_score: 7.5, source: "judged" },
      { id: "or-128", text: "Für Mieten: fünf Jahre.", label: 1, teacher_score: 2 },
      { id: "x", text: "Die Größe der Öfen.", label: 0, teacher_score: -4.125, source: "bm25" },
    ],
    lang: "de",
    group: ["OR", "Verjährung"],
    split: "train",
  },
  {
    query_id: "f2",
    query: "時効はいつ完成するか",
    passages: [{ id: "x", text: "Die Größe der Öfen.", label: 0 }],
    lang: "ja",
    group: "民法",
    split: "test",
  },
];

/** What a form of texts and two labels alone can say. */
const PLAIN = [
  {
    query: "Wann verjährt eine Forderung?",
    passages: [
      { text: "Nach zehn Jahren.", label: 1 },
      { text: "十年", label: 1 },
      { text: "Die Größe der Öfen.", label: 0 },
    ],
  },
  { query: "時効はいつ完成するか", passages: [{ text: "Die Größe der Öfen.", label: 0 }] },
];

async function canonical(data: LabelledData): Promise<unknown[]> {
  const file = join(await temporaryFolder(), "groups.jsonl");
  await writeLabelledData(file, "groups", data);
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as unknown);
}

/** Writes the rows in a form and reads them again from there. */
async function through(form: TargetForm, rows: readonly unknown[]) {
  const out = join(await temporaryFolder(), form === "beir" ? "set" : "rows.jsonl");
  const lost = await writeLabelledData(out, form, await readRowsOf(rows));
  const data = await readLabelledData(out, "auto");
  expect(data.findings.fatal.listed).toEqual([]);
  return { rows: await canonical(data), lost: lost.map(({ feature, count }) => [feature, count]), out, data };
}

describe("the round trip", () => {
  test("through the canonical form keeps everything, byte for byte", async () => {
    const { rows, lost, data } = await through("groups", FULL);
    expect(data.format).toBe("groups");
    expect(rows).toEqual(FULL);
    expect(lost).toEqual([]);
  });

  test("through pairs keeps everything but the line between title and text", async () => {
    const { rows, lost } = await through("pairs", FULL);
    const joined = structuredClone(FULL);
    joined[0]?.passages.splice(0, 1, {
      id: "or-127",
      text: "OR 127 Nach zehn Jahren.",
      label: 3,
      teacher_score: 7.5,
      source: "judged",
    });
    expect(rows).toEqual(joined);
    expect(lost).toEqual([["titles", 1]]);
  });

  test("through a BEIR folder keeps ids, titles, grades, languages, keys and splits; scores and sources are lost", async () => {
    const { rows, lost, data } = await through("beir", FULL);
    expect(data.format).toBe("beir");
    const kept = FULL.map((group) => ({
      ...group,
      passages: group.passages.map(({ id, text, label, ...more }) => ({
        id,
        ...("title" in more ? { title: more.title } : {}),
        text,
        label,
      })),
    }));
    expect(new Set(rows)).toEqual(new Set(kept));
    expect(lost).toEqual([
      ["teacher_scores", 3],
      ["sources", 2],
    ]);
  });

  test.each(TARGET_FORMS.filter((form) => form !== "beir"))(
    "through %s keeps plain groups as they are",
    async (form) => {
      const { rows, lost, data } = await through(form, PLAIN);
      expect(data.format).toBe(form);
      expect(rows).toEqual(PLAIN);
      expect(lost).toEqual([]);
    },
  );

  test("through FlagEmbedding keeps scores of rows that are scored throughout, and counts the rest as lost", async () => {
    const scored = {
      query: "a",
      passages: [
        { text: "p", label: 1, teacher_score: 1.5 },
        { text: "n", label: 0, teacher_score: -2 },
      ],
    };
    const partly = {
      query: "b",
      passages: [
        { text: "p", label: 1, teacher_score: 1 },
        { text: "n", label: 0 },
      ],
    };
    const { rows, lost } = await through("flag_embedding", [scored, partly]);
    expect(rows).toEqual([
      scored,
      {
        query: "b",
        passages: [
          { text: "p", label: 1 },
          { text: "n", label: 0 },
        ],
      },
    ]);
    expect(lost).toEqual([["teacher_scores", 1]]);
  });

  test("through sentence-transformers keeps grades", async () => {
    const graded = [
      {
        query: "ü",
        passages: [
          { text: "p", label: 2.5 },
          { text: "r", label: 1 },
          { text: "n", label: 0 },
        ],
      },
    ];
    expect((await through("sentence_transformers", graded)).rows).toEqual(graded);
  });

  test("keeps queries without passages where the form can", async () => {
    const empty = [{ query: "leer", passages: [] }, ...PLAIN];
    for (const form of ["groups", "flag_embedding", "sentence_transformers"] as const)
      expect((await through(form, empty)).rows).toEqual(empty);
    for (const form of ["pairs", "beir"] as const) {
      const { rows, lost } = await through(form, empty);
      expect(rows).toHaveLength(2);
      expect(lost).toEqual([["empty_groups", 1]]);
    }
  });
});

describe("what a form cannot hold", () => {
  test.each([
    [
      "flag_embedding",
      [
        ["query_ids", 2],
        ["passage_ids", 3],
        ["titles", 1],
        ["grades", 1],
        ["languages", 2],
        ["group_keys", 3],
        ["splits", 2],
        ["sources", 2],
      ],
    ],
    [
      "sentence_transformers",
      [
        ["query_ids", 2],
        ["passage_ids", 3],
        ["titles", 1],
        ["teacher_scores", 3],
        ["languages", 2],
        ["group_keys", 3],
        ["splits", 2],
        ["sources", 2],
      ],
    ],
  ] as const)("is counted for %s", async (form, lost) => {
    expect((await through(form, FULL)).lost).toEqual(lost);
  });

  test("is the grade: FlagEmbedding makes every label above 0 a positive", async () => {
    const { out } = await through("flag_embedding", FULL);
    const [first = ""] = (await readFile(out, "utf8")).split("\n");
    expect(JSON.parse(first)).toEqual({
      query: "Wann verjährt eine Forderung?",
      pos: ["OR 127 Nach zehn Jahren.", "Für Mieten: fünf Jahre."],
      neg: ["Die Größe der Öfen."],
      pos_scores: [7.5, 2],
      neg_scores: [-4.125],
    });
  });

  test("is said of fractions in BEIR, which are written all the same", async () => {
    const rows = [{ query_id: "q", query: "q", passages: [{ id: "p", text: "p", label: 0.5 }] }];
    const { lost, rows: back } = await through("beir", rows);
    expect(lost).toEqual([["grades", 1]]);
    expect(back).toEqual(rows);
  });
});

describe("a BEIR folder", () => {
  test("has a file of judgements a split, and the whole corpus", async () => {
    const { out } = await through("beir", FULL);
    expect((await readdir(out)).sort()).toEqual(["corpus.jsonl", "qrels", "queries.jsonl"]);
    expect(await readFile(join(out, "qrels", "test.tsv"), "utf8")).toBe("query-id\tcorpus-id\tscore\nf2\tx\t0\n");
    expect((await readFile(join(out, "corpus.jsonl"), "utf8")).split("\n")[0]).toBe(
      '{"_id":"or-127","title":"OR 127","text":"Nach zehn Jahren."}',
    );
  });

  test("cannot have ids with tabs, and nothing is left behind", async () => {
    const folder = await temporaryFolder();
    const data = await readRowsOf([{ query_id: "a\tb", query: "q", passages: [{ text: "p", label: 1 }] }]);
    await expect(writeLabelledData(join(folder, "set"), "beir", data)).rejects.toMatchObject({ code: "DATA_INVALID" });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("a failing write", () => {
  test("leaves neither the file nor a part of it", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "file"), "");
    const data = await readRowsOf(PLAIN);
    await expect(writeLabelledData(join(folder, "file", "rows.jsonl"), "groups", data)).rejects.toThrow();
    expect(await readdir(folder)).toEqual(["file"]);
  });
});

describe("equal texts under several ids", () => {
  test("become one group and one passage, with repeats, conflicts and splits settled and told", async () => {
    const folder = await folderWith({
      "corpus.jsonl": jsonl([
        { _id: "d1", text: "gleich" },
        { _id: "d2", text: "gleich" },
        { _id: "d3", text: "anders" },
        { _id: "d4", text: "unbeurteilt" },
      ]),
      "queries.jsonl": jsonl([
        { _id: "a", text: "Frage", lang: "de" },
        { _id: "b", text: "Frage", group: "g" },
      ]),
      "qrels/train.tsv": "a\td1\t1\na\td3\t0\n",
      "qrels/test.tsv": "b\td2\t2\nb\td3\t0\n",
    });
    const data = joinEqualTexts(await readLabelledData(folder, "beir"));
    expect(await canonical(data)).toEqual([
      {
        query_id: "a",
        query: "Frage",
        passages: [
          { id: "d1", text: "gleich", label: 2 },
          { id: "d3", text: "anders", label: 0 },
        ],
        lang: "de",
        group: "g",
        split: "test",
      },
    ]);
    const { duplicates, conflicts } = data.findings;
    expect([duplicates.total, conflicts.total, data.renamedPassages]).toEqual([1, 1, 1]);
    expect(data.adjusted.listed.map(({ path }) => path)).toEqual(["query_id", "split"]);
  });
});
