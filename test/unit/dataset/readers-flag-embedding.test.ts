import { describe, expect, test } from "vitest";
import { judged, places, readRowsOf } from "../../helpers/labelled-files.js";

describe("FlagEmbedding rows in the wild", () => {
  test("may lack negatives, hold several positives and carry language and group keys", async () => {
    const data = await readRowsOf([
      { query: "Grundpfandrecht", pos: ["Hypothek", "Schuldbrief"], lang: "de", group: "ZGB" },
      { query: "抵当権", pos: [], neg: ["りんご"], neg_scores: [-3] },
    ]);
    expect(data.format).toBe("flag_embedding");
    expect(judged(data)).toEqual([
      ["Grundpfandrecht", "Hypothek", 1],
      ["Grundpfandrecht", "Schuldbrief", 1],
      ["抵当権", "りんご", 0, -3],
    ]);
    expect(data.queries[0]).toMatchObject({ lang: "de", groups: ["ZGB"] });
  });

  test("count prompts, which have no place in a pair", async () => {
    const data = await readRowsOf([{ query: "q", pos: ["p"], neg: [], prompt: "Given a query" }]);
    expect(Object.fromEntries(data.unusedFields)).toEqual({ prompt: 1 });
  });

  test("name every malformed list, text and score", async () => {
    const data = await readRowsOf([
      { query: "q", pos: ["a"], neg: ["b"], pos_scores: ["hoch"], neg_scores: [1, 2] },
      { query: "r", pos: "a" },
      { query: "s", neg: ["b", 4] },
    ]);
    expect(places(data.findings.fatal)).toEqual(["1 pos_scores", "1 neg_scores", "2 pos", "3 pos", "3 neg"]);
  });
});
