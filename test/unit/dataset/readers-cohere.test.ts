import { describe, expect, test } from "vitest";
import { judged, places, readRowsOf } from "../../helpers/labelled-files.js";

describe("Cohere's rerank rows", () => {
  test("give relevant passages 1 and hard negatives 0", async () => {
    const data = await readRowsOf([
      {
        query: "Wie hoch ist die Quellensteuer?",
        relevant_passages: ["Der Tarif hängt vom Kanton ab.", "Siehe Tarif C."],
        hard_negatives: ["Die Mehrwertsteuer beträgt 8,1 %."],
      },
      { query: "源泉徴収とは", relevant_passages: ["給与から差し引く税"], lang: "ja" },
    ]);
    expect(data.format).toBe("cohere");
    expect(judged(data)).toEqual([
      ["Wie hoch ist die Quellensteuer?", "Der Tarif hängt vom Kanton ab.", 1],
      ["Wie hoch ist die Quellensteuer?", "Siehe Tarif C.", 1],
      ["Wie hoch ist die Quellensteuer?", "Die Mehrwertsteuer beträgt 8,1 %.", 0],
      ["源泉徴収とは", "給与から差し引く税", 1],
    ]);
    expect(data.queries[1]?.lang).toBe("ja");
  });

  test("name rows without relevant passages and negatives that are no list", async () => {
    const data = await readRowsOf([
      { query: "q", relevant_passages: ["a"] },
      { query: "r", hard_negatives: "b" },
      { query: "s", relevant_passages: [null], hard_negatives: [""] },
    ]);
    expect(places(data.findings.fatal)).toEqual(["2 relevant_passages", "2 hard_negatives", "3 relevant_passages"]);
    expect(places(data.findings.empty)).toEqual(["3 hard_negatives"]);
  });
});
