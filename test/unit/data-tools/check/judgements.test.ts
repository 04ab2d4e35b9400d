import { describe, expect, test } from "vitest";
import { CLEAN, checkFiles, checkRows, said } from "./checked.js";

const pair = (query: string, passage: string, label: number, more: object = {}) => ({ query, passage, label, ...more });
const rulesOf = ({ counts }: { counts: Record<string, number> }) => Object.keys(counts).sort();

describe("duplicate_pair", () => {
  test("names the second of two equal pairs, wherever it stands", async () => {
    const result = await checkRows([...CLEAN, CLEAN[0]]);
    expect(said(result, "duplicate_pair")).toEqual([[5, "the same pair and label as on line 1"]]);
    expect(result).toMatchObject({ pairs: 4, left_out: 1, severities: { error: 0, warning: 1 } });
  });

  test("is no duplicate under another query", async () => {
    const result = await checkRows([...CLEAN, pair("how high is the deposit", CLEAN[0]?.passage ?? "", 1)]);
    expect(result.counts.duplicate_pair).toBeUndefined();
  });
});

describe("contradicting_labels", () => {
  test("is an error; the higher label stays, whichever comes first", async () => {
    const [first] = CLEAN;
    const higherLater = await checkRows([pair("q", "p", 0), pair("q", "p", 2), pair("q", "other words", 0)]);
    expect(said(higherLater, "contradicting_labels")).toEqual([
      [1, "label 0, but 2 on line 2 for the same pair; 2 is kept"],
    ]);
    const higherFirst = await checkRows([...CLEAN, { ...first, label: 0 }]);
    expect(said(higherFirst, "contradicting_labels")).toEqual([
      [5, "label 0, but 1 on line 1 for the same pair; 1 is kept"],
    ]);
    expect(higherFirst).toMatchObject({ severities: { error: 1 }, left_out: 1 });
  });

  test("is silent where labels agree", async () => {
    expect((await checkRows([...CLEAN, CLEAN[1]])).counts.contradicting_labels).toBeUndefined();
  });
});

describe("one_class_group", () => {
  test("warns of a query without a positive, and notes one without a negative", async () => {
    const result = await checkRows([...CLEAN, pair("deposit", "three rents", 1), pair("pets", "garages", 0)]);
    expect(said(result, "one_class_group")).toEqual([
      [6, "none of 1 passages is relevant"],
      [5, "all passages are relevant"],
    ]);
    expect(result.severities).toEqual({ error: 0, warning: 1, note: 1 });
  });
});

describe("one_class_group, where nobody judged a negative at all,", () => {
  test("leaves it to one_class_data to say so once", async () => {
    const positive = await checkRows(CLEAN.map((row) => ({ ...row, label: 1 })));
    expect(positive.counts).toEqual({ one_class_data: 1 });
  });
});

describe("one_class_data", () => {
  test("is an error where nothing is relevant", async () => {
    const result = await checkRows(CLEAN.map((row) => ({ ...row, label: 0 })));
    expect(said(result, "one_class_data")).toEqual([[null, "all 4 labels are 0: nothing is relevant"]]);
    expect(result.severities.error).toBe(1);
  });

  test("is a warning where everything is, and an error where nothing can be read", async () => {
    const positive = await checkRows(CLEAN.map((row) => ({ ...row, label: 1 })));
    expect(said(positive, "one_class_data")).toEqual([[null, "all 4 labels are above 0: there is no negative"]]);
    expect(positive.severities.error).toBe(0);
    const nothing = await checkRows([pair("q", "", 1)], { format: "pairs" });
    expect(said(nothing, "one_class_data")).toEqual([[null, "no usable labelled pair"]]);
  });
});

describe("near_duplicate_query", () => {
  test("names a query that differs in case, punctuation or one word of nine", async () => {
    const rows = [
      pair("Who pays for the repair of a WINDOW?", "The landlord.", 1),
      pair("when must the lease be signed by the tenant", "Soon.", 1),
      pair("when must the lease be signed by the tenant today", "Soon.", 1),
    ];
    expect(said(await checkRows([...CLEAN, ...rows]), "near_duplicate_query")).toEqual([
      [5, "close to the query of line 3"],
      [7, "close to the query of line 6"],
    ]);
  });
});

describe("near_duplicate_passage and contradicting_near_duplicate", () => {
  const text = "The landlord pays for windows, doors, walls, stairs, roofs and floors";
  test("tell passages with one label from those with two", async () => {
    const same = await checkRows([
      ...CLEAN,
      pair("repair", text, 1),
      pair("repair", `${text}!`, 1),
      pair("repair", "no", 0),
    ]);
    expect(said(same, "near_duplicate_passage")).toEqual([[6, "close to passage p5 (line 5)"]]);
    const other = await checkRows([...CLEAN, pair("repair", text, 1), pair("repair", `${text}!`, 0)]);
    expect(said(other, "contradicting_near_duplicate")).toEqual([
      [6, "label 0, but 1 for the close passage p5 (line 5)"],
    ]);
    expect(rulesOf(other)).toEqual(["contradicting_near_duplicate"]);
  });

  test("are silent for passages of different queries", async () => {
    const rows = [
      pair("repair", text, 1),
      pair("repair", "no", 0),
      pair("walls", `${text}!`, 1),
      pair("walls", "no", 0),
    ];
    expect(rulesOf(await checkRows([...CLEAN, ...rows]))).toEqual([]);
  });
});

describe("a split that the data brings along", () => {
  const rows = (query: string) => [pair(query, "The landlord pays.", 1), pair(query, "Visitors park.", 0)];
  const LONG = "who pays for the repair of a broken window";

  test("with the same words on two sides is an error: query_in_two_splits", async () => {
    const result = await checkFiles({ "train.jsonl": rows(LONG), "test.jsonl": rows(`${LONG}?`) });
    expect(said(result, "query_in_two_splits")).toEqual([[1, "the same words as the train query of line 1"]]);
    expect(result.findings.find(({ rule }) => rule === "query_in_two_splits")?.file).toMatch(/test\.jsonl$/);
    expect(result.counts.near_duplicate_across_splits).toBeUndefined();
  });

  test("with exactly the same text on two sides keeps both queries apart", async () => {
    const result = await checkFiles({ "train.jsonl": rows(LONG), "dev.jsonl": rows(LONG) });
    expect(result).toMatchObject({ queries: 2, pairs: 4, counts: { query_in_two_splits: 1 } });
  });

  test("with close words on two sides is a warning: near_duplicate_across_splits", async () => {
    const result = await checkFiles({ "train.jsonl": rows(LONG), "test.jsonl": rows(`${LONG} today`) });
    expect(said(result, "near_duplicate_across_splits")).toEqual([[1, "close to the train query of line 1"]]);
    expect(result.severities.error).toBe(0);
  });

  test("with different queries, or close ones on one side, gives neither", async () => {
    const result = await checkFiles({
      "train.jsonl": [...rows(LONG), ...rows(`${LONG} today`)],
      "test.jsonl": rows("when must the lease be signed"),
    });
    expect(rulesOf(result)).toEqual(["near_duplicate_query"]);
  });

  test("of some queries only is an error: partly_split", async () => {
    const result = await checkRows([...rows(LONG).map((row) => ({ ...row, split: "train" })), ...rows("lease")]);
    expect(said(result, "partly_split")).toEqual([[3, "has no split, but other queries have one"]]);
  });
});

describe("mixed_languages", () => {
  const rows = (language: "de" | "en", count: number) =>
    Array.from({ length: count }, (_, index) =>
      language === "de"
        ? pair(
            `frage ${index}`,
            `Der Mieter ${index} ist für die Reinigung der Treppe und des Kellers zuständig.`,
            index % 2,
          )
        : pair(
            `query ${index}`,
            `The tenant ${index} is responsible for the cleaning of the stairs and the cellar.`,
            index % 2,
          ),
    );

  test("notes a second language where it begins", async () => {
    const result = await checkRows([...rows("de", 30), ...rows("en", 10)]);
    expect(said(result, "mixed_languages")).toEqual([[31, "25.0 % of the texts are en, from here on; 75.0 % are de"]]);
  });

  test("is silent for one language, and for a few texts of another", async () => {
    expect((await checkRows([...rows("de", 30), ...rows("en", 4)])).counts.mixed_languages).toBeUndefined();
  });
});

describe("language_differs", () => {
  const GERMAN = "Der Mieter ist für die Reinigung der Treppe zuständig und zahlt die Kosten.";
  test("notes a query in another language than what answers it", async () => {
    const rows = [
      pair("what is the duty of the tenant", GERMAN, 1),
      pair("what is the duty of the tenant", "Nein.", 0),
    ];
    expect(said(await checkRows(rows), "language_differs")).toEqual([[1, "en query, de passages"]]);
  });

  test("is silent when they agree", async () => {
    const rows = [
      pair("was ist die Pflicht der Mieter", GERMAN, 1),
      pair("was ist die Pflicht der Mieter", "Nein.", 0),
    ];
    expect(rulesOf(await checkRows(rows))).toEqual([]);
  });
});
