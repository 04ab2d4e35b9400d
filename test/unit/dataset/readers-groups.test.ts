import { describe, expect, test } from "vitest";
import { judged, places, readRowsOf } from "../../helpers/labelled-files.js";

describe("graded groups with everything", () => {
  test("keep titles apart from texts, sources, splits and groups without a positive", async () => {
    const data = await readRowsOf([
      {
        query: "délai de résiliation",
        passages: [
          { title: "CO 266c", text: "Trois mois.", label: 3, source: "judged" },
          { text: "Autre chose.", label: 0, source: "bm25", rank: 2, teacher_score: -1.5 },
        ],
        lang: "fr",
        group: "CO",
        split: "test",
      },
      { query: "nur Falsches", passages: [{ text: "falsch", label: 0 }], split: "train" },
    ]);
    expect(judged(data)).toEqual([
      ["délai de résiliation", "CO 266c Trois mois.", 3],
      ["délai de résiliation", "Autre chose.", 0, -1.5],
      ["nur Falsches", "falsch", 0],
    ]);
    expect(data.partsOf(0)).toEqual({ title: "CO 266c", text: "Trois mois." });
    expect(data.partsOf(1)).toEqual({ text: "Autre chose." });
    expect(data.queries[0]).toMatchObject({ lang: "fr", groups: ["CO"], split: "test" });
  });

  test("name every broken passage and score with its line", async () => {
    const data = await readRowsOf([
      { query: "q", passages: [{ text: "a", label: 1, teacher_score: [] }, { text: 5, label: 1 }, 3] },
      { query: "r", passages: "a" },
      { passages: [{ text: "b" }] },
    ]);
    expect(places(data.findings.fatal)).toEqual([
      "1 teacher_score",
      "1 text",
      "1 passages",
      "2 passages",
      "3 query",
      "3 label",
    ]);
  });

  test("count passages whose id could not be kept", async () => {
    const data = await readRowsOf([
      { query: "q", passages: [{ id: "0", text: "eins", label: 1 }] },
      {
        query: "r",
        passages: [
          { id: "0", text: "zwei", label: 1 },
          { id: "9", text: "eins", label: 0 },
        ],
      },
    ]);
    expect(data.renamedPassages).toBe(2);
  });
});
