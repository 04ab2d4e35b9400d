import { describe, expect, test } from "vitest";
import { judged, places, readRowsOf } from "../../helpers/labelled-files.js";

describe("Tevatron rows", () => {
  test("keep ids and titles", async () => {
    const data = await readRowsOf([
      {
        query_id: "12",
        query: "Blutdruck senken",
        positive_passages: [{ docid: "d1", title: "Hypertonie", text: "Bewegung hilft." }],
        negative_passages: [
          { docid: "d2", title: "", text: "Äpfel sind rund." },
          { docid: "d3", text: "血圧計の使い方" },
        ],
      },
    ]);
    expect(data.format).toBe("tevatron");
    expect(judged(data)).toEqual([
      ["Blutdruck senken", "Hypertonie Bewegung hilft.", 1],
      ["Blutdruck senken", "Äpfel sind rund.", 0],
      ["Blutdruck senken", "血圧計の使い方", 0],
    ]);
    expect(data.queries[0]).toMatchObject({ id: "12", hasOwnId: true });
    expect(data.passageIds).toEqual(["d1", "d2", "d3"]);
    expect(data.partsOf(0)).toEqual({ title: "Hypertonie", text: "Bewegung hilft." });
  });

  test("name sides that are no lists of objects", async () => {
    const data = await readRowsOf(
      [
        { query: "q", positive_passages: ["text"], negative_passages: {} },
        { query: "r" },
        { query: "s", negative_passages: [{ title: "only" }] },
      ],
      "tevatron",
    );
    expect(places(data.findings.fatal)).toEqual([
      "1 positive_passages",
      "1 negative_passages",
      "2 positive_passages",
      "3 text",
    ]);
  });
});
