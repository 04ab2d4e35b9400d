import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LONGEST_PASSAGE, LONGEST_QUERY } from "../../../../src/data-tools/check/rules/texts.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";
import { CLEAN, checkFiles, checkPath, checkRows, said } from "./checked.js";

/** What a rule says of a single pair added behind clean ones, on line 5. */
async function saidOf(rule: string, pair: { query?: string; passage?: string }): Promise<string[]> {
  const row = { query: "how high is the deposit", passage: "Three rents at most.", label: 1, ...pair };
  return said(await checkRows([...CLEAN, row]), rule).map(([line, message]) => `${line}: ${message}`);
}

describe("clean rows", () => {
  test("give no finding at all", async () => {
    const result = await checkRows(CLEAN);
    expect(result).toMatchObject({ form: "pairs", queries: 2, pairs: 4, counts: {}, findings: [], left_out: 0 });
  });
});

describe("unreadable_row", () => {
  test("names every row that lacks a field or is no JSON", async () => {
    const result = await checkRows([
      ...CLEAN,
      { query: "q", label: 1 },
      "no json",
      { query: "q", passage: "p", label: "yes" },
    ]);
    expect(said(result, "unreadable_row")).toEqual([
      [5, "has no `passage`"],
      [6, "is not JSON"],
      [7, "`label` is a word, not a number"],
    ]);
    expect(result.severities.error).toBe(3);
    expect(result.left_out).toBe(3);
  });

  test("counts and lists more than the fifty that the readers keep", async () => {
    const result = await checkRows([...CLEAN, ...Array.from({ length: 80 }, () => "no json")]);
    expect(result.counts.unreadable_row).toBe(80);
    expect(said(result, "unreadable_row")).toHaveLength(80);
  });
});

describe("empty_text", () => {
  test("is a warning, and the row is left out", async () => {
    const result = await checkRows([...CLEAN, { query: "q", passage: "  ", label: 1 }]);
    expect(said(result, "empty_text")).toEqual([[5, "`passage` is empty; the row is left out"]]);
    expect(result).toMatchObject({ severities: { error: 0, warning: 1 }, left_out: 1, pairs: 4 });
  });
});

describe("adjusted_value and unused_field", () => {
  test("say what was read otherwise, and which fields nobody reads", async () => {
    const folder = await temporaryFolder();
    const rows = { _id: "d1", text: "one passage", year: 1999 };
    await writeFile(join(folder, "corpus.jsonl"), `${JSON.stringify(rows)}\n`);
    await writeFile(join(folder, "queries.jsonl"), `${JSON.stringify({ _id: "q1", text: "one query" })}\n`);
    await writeFile(join(folder, "qrels.txt"), "q1 0 d1 -2\n");
    const result = await checkPath(folder);
    expect(said(result, "adjusted_value")).toEqual([[1, "a label below 0 counts as 0"]]);
    expect(said(result, "unused_field")).toEqual([[null, "stands in 1 rows"]]);
    expect(result.findings.find(({ rule }) => rule === "unused_field")?.path).toBe("corpus.year");
  });

  test("are silent otherwise", async () => {
    const { counts } = await checkRows(CLEAN.map((row) => ({ ...row, lang: "en", group: "a" })));
    expect(counts).toEqual({});
  });
});

describe("over_long_text", () => {
  test("names a query or passage one character above its limit", async () => {
    expect(await saidOf("over_long_text", { query: "x".repeat(LONGEST_QUERY + 1) })).toEqual([
      "5: query of 2049 characters, more than 2048",
    ]);
    expect(await saidOf("over_long_text", { passage: "x".repeat(LONGEST_PASSAGE + 1) })).toHaveLength(1);
  });

  test("lets texts at their limit pass", async () => {
    const pair = { query: "x".repeat(LONGEST_QUERY), passage: "x".repeat(LONGEST_PASSAGE) };
    expect(await saidOf("over_long_text", pair)).toEqual([]);
  });

  test("says it once for a query that stands on many rows", async () => {
    const query = "x".repeat(3000);
    const result = await checkRows(
      [1, 2, 3].map((number) => ({ query, passage: `passage ${number}`, label: number % 2 })),
    );
    expect(said(result, "over_long_text")).toHaveLength(1);
  });
});

describe("cut_by_max_length", () => {
  const model = async (): Promise<string> => {
    const folder = await temporaryFolder();
    const file = new URL("../../../fixtures/tokenizers.json", import.meta.url);
    const { kinds } = JSON.parse(await readFile(file, "utf8")) as { kinds: { tokenizer: unknown }[] };
    await writeFile(join(folder, "tokenizer.json"), JSON.stringify(kinds[0]?.tokenizer));
    return folder;
  };
  const rows = [
    { query: "a b", passage: "a ".repeat(40).trim(), label: 1 },
    { query: "a b", passage: "b a", label: 0 },
  ];

  test("names pairs longer than --max-length, and only those", async () => {
    const result = await checkRows(rows, { tokens: { model: await model(), max_length: 32 } });
    expect(said(result, "cut_by_max_length")).toEqual([[1, "pair of 2 + 40 tokens"]]);
  });

  test("is silent when every pair fits", async () => {
    const result = await checkRows(rows, { tokens: { model: await model(), max_length: 64 } });
    expect(said(result, "cut_by_max_length")).toEqual([]);
    expect(said(result, "cut_share")).toEqual([]);
  });

  test("comes with the share of pairs that are cut, by side and by language: cut_share", async () => {
    const long = "a ".repeat(40).trim();
    const sided = [
      { query: "a b", passage: long, label: 1, lang: "de" },
      { query: "a b", passage: "b a", label: 0, lang: "de" },
      { query: long, passage: "b", label: 1, lang: "en" },
      { query: long, passage: `b ${long}`, label: 0, lang: "en" },
    ];
    const found = said(await checkRows(sided, { tokens: { model: await model(), max_length: 32 } }), "cut_share");
    expect(found).toEqual([
      [null, "75.0 % of pairs cut at 32; on the passage's side 50.0 %, on the query's 50.0 %; de 50.0 %, en 100.0 %"],
    ]);
    const one = await checkRows(rows, { tokens: { model: await model(), max_length: 32 } });
    expect(said(one, "cut_share")).toEqual([
      [null, "50.0 % of pairs cut at 32; on the passage's side 50.0 %, on the query's 0.0 %"],
    ]);
  });
});

describe("replacement_character", () => {
  const pairs = (count: number, wrong: number) =>
    Array.from({ length: count }, (_, index) => ({
      query: `query${index}`,
      passage: index < wrong ? `passage${index} gr\uFFFD\uFFFDn` : `passage${index}`,
      label: index % 2,
    }));

  test("is a warning for a stray text", async () => {
    const result = await checkRows(pairs(100, 1));
    expect(said(result, "replacement_character")).toEqual([[1, "holds U+FFFD"]]);
    expect(result.severities.error).toBe(0);
  });

  test("is an error where more than 1 % of the texts hold it", async () => {
    const result = await checkRows(pairs(100, 3));
    expect(said(result, "replacement_character").at(-1)).toEqual([
      null,
      "3 of 200 texts hold U+FFFD: the data is not UTF-8",
    ]);
    expect(result.severities.error).toBe(1);
  });

  test("is found where the bytes of the file are Latin-1, and nowhere else", async () => {
    const file = join(await temporaryFolder(), "latin.jsonl");
    await writeFile(file, Buffer.from('{"query": "f\xFCr wen", "passage": "alle", "label": 1}\n', "latin1"));
    expect(said(await checkPath(file), "replacement_character")[0]).toEqual([1, "holds U+FFFD"]);
    expect(await saidOf("replacement_character", { passage: "für alle" })).toEqual([]);
  });
});

describe("invisible_character", () => {
  test.each([
    ["a\u0000b", "holds the control character U+0000"],
    ["a\uFEFFb", "holds a byte order mark (U+FEFF)"],
    ["a\u001Bb", "holds the control character U+001B"],
  ])("names the character of %j", async (passage, message) => {
    expect(await saidOf("invisible_character", { passage })).toEqual([`5: ${message}`]);
  });

  test("lets tabs, line breaks and joiners of Indic scripts and emoji pass", async () => {
    expect(await saidOf("invisible_character", { passage: "a\tb\nc\r\nक्\u200Dष 👩\u200D👩" })).toEqual([]);
  });
});

describe("mojibake", () => {
  test.each([
    "fÃ¼r alle",
    "GrÃ¶ÃŸe",
    "ÃœberprÃ¼fung",
    "Ã©tÃ© Ã\u00A0 Paris",
    "5 Â°C",
    "Â§ 5 BGB",
    "itâ€™s",
    "10 â‚¬",
    "ÐŸÑ€Ð¸",
    "ï»¿text",
  ])("is found in %j", async (passage) => {
    expect(await saidOf("mojibake", { passage })).toEqual(["5: looks like UTF-8 that was read as Windows-1252"]);
  });

  test.each([
    "für alle Größen",
    "été à Paris, « RÉSUMÉ »",
    "NÃO, a MAÇÃ… IRMÃ”",
    "5 °C § 5",
    "it’s 10 €",
    "При",
    "ÂMES",
    "Ångström",
  ])("is not found in %j", async (passage) => {
    expect(await saidOf("mojibake", { passage })).toEqual([]);
  });
});

describe("a folder of judgements", () => {
  const folderOf = async (corpus: readonly object[]) => {
    const folder = await temporaryFolder();
    const jsonl = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
    await writeFile(join(folder, "corpus.jsonl"), jsonl(corpus));
    await writeFile(join(folder, "queries.jsonl"), jsonl([{ _id: "q1", text: "who signs" }]));
    await writeFile(join(folder, "qrels.txt"), "q1 0 d1 1\nq1 0 d2 0\n");
    return folder;
  };

  test("has its unjudged passages checked too, named by id", async () => {
    const corpus = ["The tenant signs.", "Visitors park.", "fÃ¼r"].map((text, at) => ({ _id: `d${at + 1}`, text }));
    const { findings } = await checkPath(await folderOf(corpus));
    expect(findings).toMatchObject([{ rule: "mojibake", line: null, path: "passage d3" }]);
  });

  test("may judge a passage without a text, which is left out", async () => {
    const corpus = [
      { _id: "d1", text: "The tenant signs." },
      { _id: "d2", text: "" },
    ];
    const result = await checkPath(await folderOf(corpus));
    expect(result.pairs).toBe(1);
    expect(said(result, "empty_text")).toEqual([[2, "title and text are empty"]]);
  });
});

describe("a folder with one file a split", () => {
  test("is read as one data set", async () => {
    const [first, second, third, fourth] = CLEAN;
    const result = await checkFiles({ "train.jsonl": [first, second], "test.jsonl": [third, fourth] });
    expect(result).toMatchObject({ queries: 2, pairs: 4, counts: {} });
  });
});
