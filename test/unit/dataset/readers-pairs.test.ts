import { describe, expect, test } from "vitest";
import { judged, places, readRowsOf } from "../../helpers/labelled-files.js";

describe("pairs with details", () => {
  test("keep ids, teacher scores, sources, languages, group keys and splits", async () => {
    const data = await readRowsOf([
      {
        query_id: "f1",
        query: "Kündigungsfrist für Mieter",
        passage_id: "or-266c",
        passage: "Drei Monate für Wohnungen.",
        label: 2,
        teacher_score: 4.25,
        source: "bm25",
        rank: 3,
        lang: "de",
        group: ["OR", "Miete"],
        split: "train",
      },
      { query: "退職の予告期間", passage: "二週間前に申し出る。", label: 0, split: "validation" },
    ]);
    expect(data.format).toBe("pairs");
    expect(judged(data)).toEqual([
      ["Kündigungsfrist für Mieter", "Drei Monate für Wohnungen.", 2, 4.25],
      ["退職の予告期間", "二週間前に申し出る。", 0],
    ]);
    expect(data.queries).toMatchObject([
      { id: "f1", hasOwnId: true, lang: "de", groups: ["OR", "Miete"], split: "train" },
      { hasOwnId: false, split: "dev" },
    ]);
    expect([data.ownPassageId(0), data.ownPassageId(1)]).toEqual(["or-266c", undefined]);
    expect([...(data.queries[0]?.judgements.values() ?? [])]).toMatchObject([{ source: "bm25", rank: 3 }]);
  });

  test("are read from a table of a spreadsheet", async () => {
    const data = await readRowsOf(
      "Query;Passage;Label;Lang;Group\nMehrwertsteuer;8,1 Prozent;1;de;MWSTG\n",
      "auto",
      "pairs.csv",
    );
    expect(judged(data)).toEqual([["Mehrwertsteuer", "8,1 Prozent", 1]]);
    expect(data.queries[0]).toMatchObject({ lang: "de", groups: ["MWSTG"] });
  });

  test("take language, group keys and score from later rows that have them first", async () => {
    const data = await readRowsOf([
      { query: "q", passage: "p", label: 1 },
      { query: "q", passage: "p", label: 1, lang: "fr", group: "a", teacher_score: 0.5 },
      { query: "q", passage: "r", label: 0, lang: "it", group: "b" },
    ]);
    expect(data.queries[0]).toMatchObject({ lang: "fr", groups: ["a", "b"] });
    expect(judged(data)).toEqual([
      ["q", "p", 1, 0.5],
      ["q", "r", 0],
    ]);
    expect(places(data.adjusted)).toEqual(["3 lang"]);
  });

  test("name every wrong field at once", async () => {
    const data = await readRowsOf([
      { query: "q", passage: "p", label: 1 },
      { query: "q", passage: "r", label: 1, teacher_score: "high" },
      { query: 7, passage: "s", label: -1 },
      { query: "q", passage: "t", label: 0, lang: { code: "de" }, split: "holdout" },
    ]);
    expect(places(data.findings.fatal)).toEqual(["2 teacher_score", "3 label", "3 query", "4 lang", "4 split"]);
  });

  test("with a split on some queries only are fatal on the others", async () => {
    const data = await readRowsOf([
      { query: "a", passage: "p", label: 1, split: "train" },
      { query: "b", passage: "p", label: 1 },
    ]);
    expect(places(data.findings.fatal)).toEqual(["2 split"]);
  });

  test("that put one query on two sides are fatal", async () => {
    const data = await readRowsOf([
      { query: "a", passage: "p", label: 1, split: "train" },
      { query: "a", passage: "r", label: 0, split: "test" },
    ]);
    expect(data.findings.fatal.listed).toMatchObject([
      { line: 2, path: "split", message: "puts the query in test, but line 1 puts it in train" },
    ]);
  });

  test("count fields that nothing uses, once a row", async () => {
    const data = await readRowsOf([
      { query: "q", passage: "p", label: 1, annotator: "x", title: "T" },
      { query: "q", passage: "r", label: 0, annotator: "y" },
    ]);
    expect(Object.fromEntries(data.unusedFields)).toEqual({ annotator: 2, title: 1 });
  });
});
