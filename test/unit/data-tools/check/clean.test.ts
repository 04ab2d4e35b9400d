import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { RULES } from "../../../../src/data-tools/check/rules/index.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";
import { CLEAN, checkFiles, checkPath, checkRows } from "./checked.js";

const rowsOf = async (file: string): Promise<unknown[]> =>
  (await readFile(file, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);

describe("a cleaned copy", () => {
  test("is graded groups; every row left out is listed with its line and reason", async () => {
    const clean = join(await temporaryFolder(), "clean.jsonl");
    const [first] = CLEAN;
    const bad = [{ ...first }, { ...first, label: 0 }, "no json", { query: "q", passage: "", label: 1 }];
    const result = await checkRows([...CLEAN, ...bad], { clean });
    expect(await rowsOf(clean)).toEqual([
      {
        query_id: "q1",
        query: CLEAN[0]?.query,
        passages: [
          { label: 1, id: "p1", text: CLEAN[0]?.passage },
          { label: 0, id: "p2", text: CLEAN[1]?.passage },
        ],
      },
      {
        query_id: "q2",
        query: CLEAN[2]?.query,
        passages: [
          { label: 1, id: "p3", text: CLEAN[2]?.passage },
          { label: 0, id: "p4", text: CLEAN[3]?.passage },
        ],
      },
    ]);
    expect(result).toMatchObject({ clean, left_out: 4, left_out_rows: `${clean}.left-out.jsonl` });
    const listed = await rowsOf(`${clean}.left-out.jsonl`);
    expect(listed).toHaveLength(4);
    expect(listed).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ line: 5, rule: "duplicate_pair", reason: "the same pair and label as on line 1" }),
        expect.objectContaining({ line: 6, rule: "contradicting_labels" }),
        expect.objectContaining({ line: 7, rule: "unreadable_row", reason: "is not JSON" }),
        expect.objectContaining({ line: 8, rule: "empty_text" }),
      ]),
    );
  });

  test("keeps every kind of judged row that a rule only doubts", async () => {
    const clean = join(await temporaryFolder(), "clean.jsonl");
    const text = "The landlord pays for windows, doors, walls, stairs, roofs and floors";
    const doubtful = [
      { query: "repair", passage: text, label: 1 },
      { query: "repair", passage: `${text}!`, label: 0 },
      { query: "pets", passage: "fÃ¼r alle", label: 0 },
    ];
    const { left_out } = await checkRows(doubtful, { clean });
    expect(left_out).toBe(0);
    expect((await rowsOf(clean)).flatMap((row) => (row as { passages: unknown[] }).passages)).toHaveLength(3);
  });

  test("has graded labels, titles, teacher scores, provenance, language, groups and split as they were", async () => {
    const clean = join(await temporaryFolder(), "clean.jsonl");
    const row = {
      query_id: "a7",
      query: "who pays",
      passages: [
        { label: 2.5, id: "d1", title: "Costs", text: "The landlord.", teacher_score: 4.25, source: "run", rank: 3 },
        { label: 0, id: "d2", text: "Nobody." },
      ],
      lang: "en",
      query_source: "search log",
      group: ["x", "y"],
      split: "train",
    };
    await checkRows([row], { clean });
    expect(await rowsOf(clean)).toEqual([row]);
  });

  test("merges rows of one query that stand apart, and passes the check itself", async () => {
    const clean = join(await temporaryFolder(), "clean.jsonl");
    const [one, two, three, four] = CLEAN;
    await checkRows([one, three, two, four, one], { clean });
    expect(await checkPath(clean)).toMatchObject({ form: "groups", queries: 2, pairs: 4, counts: {} });
  });

  test("names the split of data that came as one file a split", async () => {
    const clean = join(await temporaryFolder(), "clean.jsonl");
    await checkFiles({ "train.jsonl": CLEAN.slice(0, 2), "test.jsonl": CLEAN.slice(2) }, { clean });
    expect((await rowsOf(clean)).map((row) => (row as { split: string }).split)).toEqual(["test", "train"]);
  });

  test("is not there when the check could not finish", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "empty.jsonl");
    await writeFile(file, "");
    await expect(checkPath(file, { clean: join(folder, "clean.jsonl") })).rejects.toMatchObject({
      code: "DATA_INVALID",
    });
    expect(await readdir(folder)).toEqual(["empty.jsonl"]);
  });
});

describe("the check", () => {
  test("stops when it is asked to", async () => {
    const rows = Array.from({ length: 600 }, (_, index) => ({
      query: `query${index}`,
      passage: `p${index}`,
      label: index % 2,
    }));
    const options = { signal: AbortSignal.abort("SIGINT") };
    await expect(checkRows(rows, options)).rejects.toMatchObject({ code: "INTERRUPTED" });
  });

  test("lists a thousand findings of a rule and counts the rest", async () => {
    const result = await checkRows([...CLEAN, ...Array.from({ length: 1200 }, () => CLEAN[0])]);
    expect(result.counts.duplicate_pair).toBe(1200);
    expect(result.findings).toHaveLength(1000);
  });

  test("never quotes a text", async () => {
    const secret = "Geheimnis";
    const row = (more: object) => ({ query: `${secret} query`, passage: `${secret} \u0000 fÃ¼r`, label: 1, ...more });
    const result = await checkRows([row({}), row({ label: 0 }), row({ label: secret }), row({ passage: 7 })]);
    expect(result.findings.length).toBeGreaterThan(3);
    expect(JSON.stringify(result)).not.toContain(secret);
  });

  test("has rules of different names that all say what to do", () => {
    expect(new Set(RULES.map(({ name }) => name)).size).toBe(RULES.length);
    expect(RULES.filter(({ about }) => !/^[A-Z].{30,}\.$/.test(about)).map(({ name }) => name)).toEqual([]);
  });
});
