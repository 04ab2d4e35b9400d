import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
/** As many complaints as were collected. */
const COMPLAINTS = 15;

interface NamedTest {
  file: string;
  title: string;
}

interface Row {
  number: number;
  tests: NamedTest[];
}

/** Rows of the table; in the last cell a file in backticks is followed by titles in backticks. */
function rowsOf(table: string): Row[] {
  return table
    .split("\n")
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
    .filter((cells) => /^\d+$/.test(cells[1] ?? ""))
    .map((cells) => ({ number: Number(cells[1]), tests: testsOf(cells.at(-2) ?? "") }));
}

function testsOf(cell: string): NamedTest[] {
  let file = "";
  return [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, text = ""]) => {
    if (!/^(test|python)\/\S+\.(ts|py)$/.test(text)) return [{ file, title: text }];
    file = text;
    return [];
  });
}

/** Whether the text of a test file defines a test of this title: in Python a method, in vitest the first argument of `test`. */
function defines(content: string, { file, title }: NamedTest): boolean {
  const escaped = title.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const definition = file.endsWith(".py")
    ? new RegExp(`^ +def ${escaped}\\(self`, "m")
    : new RegExp(`\\btest(\\.each(<[^>]*>)?\\([^]*?\\))?\\(\\s*"${escaped}"`);
  return definition.test(content);
}

describe("docs/reference/complaints.md", async () => {
  const rows = rowsOf(await readFile(join(ROOT, "docs/reference/complaints.md"), "utf8"));

  test("has every complaint once, in order", () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: COMPLAINTS }, (_, index) => index + 1));
  });

  test.each(rows)("names tests for complaint $number that are there", async ({ tests }) => {
    expect(tests.length).toBeGreaterThan(0);
    for (const named of tests) {
      expect(existsSync(join(ROOT, named.file)), named.file).toBe(true);
      const content = await readFile(join(ROOT, named.file), "utf8");
      expect(defines(content, named), `${named.file}: ${named.title}`).toBe(true);
    }
  });
});

describe("the check itself", () => {
  const typescript = { file: "test/a.test.ts", title: "counts (a) and b" };
  const python = { file: "python/tests/test_a.py", title: "test_counts" };

  test("finds tests, also those of each", () => {
    expect(defines('  test("counts (a) and b", () => {})', typescript)).toBe(true);
    expect(defines('test.each([\n  ["x"],\n])(\n  "counts (a) and b",\n)', typescript)).toBe(true);
    expect(defines("class A:\n    def test_counts(self):", python)).toBe(true);
  });

  test("does not take other words for a test", () => {
    expect(defines('const text = "counts (a) and b";', typescript)).toBe(false);
    expect(defines('test("counts (a) and b, too")', typescript)).toBe(false);
    expect(defines("    def test_counts_more(self):\n# test_counts", python)).toBe(false);
  });

  test("reads files and titles of a row, and no row of words", () => {
    const row = "| 3 | loss of `x` | says so | `test/a.test.ts`: `one`, `two`<br>`python/tests/b.py`: `test_c` |";
    expect(rowsOf(`| | complaint | what | by |\n| --- | --- | --- | --- |\n${row}\n`)).toEqual([
      {
        number: 3,
        tests: [
          { file: "test/a.test.ts", title: "one" },
          { file: "test/a.test.ts", title: "two" },
          { file: "python/tests/b.py", title: "test_c" },
        ],
      },
    ]);
  });
});
