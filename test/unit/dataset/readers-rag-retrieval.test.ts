import { describe, expect, test } from "vitest";
import { judged, places, readRowsOf } from "../../helpers/labelled-files.js";

describe("RAG-Retrieval rows", () => {
  const expected = [
    ["Füllungsverlust", "Zahn 36 distal", 2],
    ["Füllungsverlust", "虫歯の治療", 0.25],
  ];

  test("are read one pair a row", async () => {
    const data = await readRowsOf([
      { query: "Füllungsverlust", content: "Zahn 36 distal", label: 2 },
      { query: "Füllungsverlust", content: "虫歯の治療", label: 0.25 },
    ]);
    expect(data.format).toBe("rag_retrieval");
    expect(judged(data)).toEqual(expected);
  });

  test("are read one pair a row of a table", async () => {
    const table = "query,content,label\nFüllungsverlust,Zahn 36 distal,2\nFüllungsverlust,虫歯の治療,0.25\n";
    expect(judged(await readRowsOf(table, "auto", "rows.csv"))).toEqual(expected);
  });

  test("are read one query a row with its hits, in which no positive need be", async () => {
    const data = await readRowsOf([
      {
        query: "Füllungsverlust",
        hits: [
          { content: "Zahn 36 distal", label: 2 },
          { content: "虫歯の治療", label: 0.25 },
        ],
      },
      { query: "ohne Treffer", hits: [{ content: "Zahn 36 distal", label: 0 }] },
    ]);
    expect(data.format).toBe("rag_retrieval");
    expect(judged(data)).toEqual([...expected, ["ohne Treffer", "Zahn 36 distal", 0]]);
  });

  test("name what is malformed in either shape", async () => {
    const data = await readRowsOf(
      [
        { query: "q", hits: [{ content: "a", label: "gut" }, "b"] },
        { query: "q", hits: {} },
        { query: "q", content: "a", label: null },
      ],
      "rag_retrieval",
    );
    expect(places(data.findings.fatal)).toEqual(["1 label", "1 hits", "2 hits", "3 label"]);
  });
});
