import { describe, expect, test } from "vitest";
import { judged, places, readRowsOf } from "../../helpers/labelled-files.js";

describe("sentence-transformers rows", () => {
  test("are triplets: one relevant, one not", async () => {
    const data = await readRowsOf([
      { anchor: "Größe der Aktie", positive: "Nennwert 1 Rappen", negative: "株主総会" },
      { anchor: "Größe der Aktie", positive: "Nennwert 1 Rappen", negative: "Obligation" },
    ]);
    expect(data.format).toBe("sentence_transformers");
    expect(judged(data)).toEqual([
      ["Größe der Aktie", "Nennwert 1 Rappen", 1],
      ["Größe der Aktie", "株主総会", 0],
      ["Größe der Aktie", "Obligation", 0],
    ]);
  });

  test("are n-tuples, padded with null, with a teacher's scores beside them", async () => {
    const data = await readRowsOf([
      { query: "q", positive: "a", negative_1: "b", negative_2: "c", score: [0.9, 0.2, 0.1] },
      { query: "r", positive: "d", negative_1: "e", negative_2: null },
    ]);
    expect(judged(data)).toEqual([
      ["q", "a", 1, 0.9],
      ["q", "b", 0, 0.2],
      ["q", "c", 0, 0.1],
      ["r", "d", 1],
      ["r", "e", 0],
    ]);
  });

  test("are n-tuples of a table", async () => {
    const table = "anchor,positive,negative_1,negative_2\nq,a,b,c\nr,d,e,\n";
    expect(judged(await readRowsOf(table, "auto", "tuples.csv"))).toEqual([
      ["q", "a", 1],
      ["q", "b", 0],
      ["q", "c", 0],
      ["r", "d", 1],
      ["r", "e", 0],
    ]);
  });

  test.each(["labels", "scores", "label", "score"])("are lists with graded %s", async (name) => {
    const data = await readRowsOf([
      { query: "Früherkennung", docs: ["Vorsorge", "検診", "Haus"], [name]: [2, 0.5, 0] },
    ]);
    expect(data.format).toBe("sentence_transformers");
    expect(judged(data)).toEqual([
      ["Früherkennung", "Vorsorge", 2],
      ["Früherkennung", "検診", 0.5],
      ["Früherkennung", "Haus", 0],
    ]);
  });

  test("are labelled pairs under any names, by order", async () => {
    const auto = await readRowsOf([{ sentence1: "q", sentence2: "p", label: 0.75 }]);
    expect(judged(auto)).toEqual([["q", "p", 0.75]]);
    const told = await readRowsOf([{ frage: "q", antwort: "p", score: 1 }], "sentence_transformers");
    expect(judged(told)).toEqual([["q", "p", 1]]);
  });

  test("are pairs without a label: the second text is relevant", async () => {
    expect(judged(await readRowsOf([{ frage: "q", antwort: "p" }], "sentence_transformers"))).toEqual([["q", "p", 1]]);
  });

  test("are what its evaluator takes: positive and negative, or positive among documents", async () => {
    const data = await readRowsOf([
      { query: "q", positive: ["a", "b"], negative: ["c"] },
      { query: "r", positive: ["a"], documents: ["c", "a"] },
    ]);
    expect(judged(data)).toEqual([
      ["q", "a", 1],
      ["q", "b", 1],
      ["q", "c", 0],
      ["r", "a", 1],
      ["r", "c", 0],
    ]);
  });

  test("count columns beside named ones", async () => {
    const data = await readRowsOf([{ anchor: "q", positive: "a", negative: "b", source_url: "x", lang: "de" }]);
    expect(judged(data)).toHaveLength(2);
    expect(Object.fromEntries(data.unusedFields)).toEqual({ source_url: 1 });
    expect(data.queries[0]?.lang).toBe("de");
  });

  test("name margins, lists of another length, labels below 0 and rows without passages", async () => {
    const data = await readRowsOf(
      [
        { anchor: "q", positive: "a", negative: "b", label: 3.5 },
        { query: "q", docs: ["a", "b"], labels: [1] },
        { query: "q", docs: ["a"], scores: [-2.5] },
        { query: "q", label: 1 },
        { query: "q", positive: "a", label: 1, score: 2 },
        { query: "q", docs: ["a"] },
      ],
      "sentence_transformers",
    );
    expect(places(data.findings.fatal)).toEqual(["1 label", "2 labels", "3 scores", "4 query", "5 score", "6 docs"]);
  });
});
