import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { CommandContext } from "../../../../src/commands/context.js";
import { type DataCheckFlags, dataCheck } from "../../../../src/commands/data-check.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";
import { CLEAN, lines } from "./checked.js";

const plain = (_: string, text: string): string => text;

async function check(rows: readonly unknown[], flags: Partial<DataCheckFlags> = {}) {
  const folder = await temporaryFolder();
  const file = join(folder, "pairs.jsonl");
  await writeFile(file, lines(rows));
  const context = { signal: new AbortController().signal, emit: () => undefined, home: join(folder, "home") };
  return await dataCheck(file, { format: "auto", ...flags }, context as unknown as CommandContext);
}

describe("data check", () => {
  test("passes clean data without a failure", async () => {
    const { failure, essential, text } = await check(CLEAN);
    expect(failure).toBeUndefined();
    expect(essential).toBe("0 errors, 0 warnings, 0 notes");
    expect(text(plain)).toContain("nothing to complain about");
  });

  test("passes data with warnings, which it prints", async () => {
    const { failure, text } = await check([...CLEAN, CLEAN[0]]);
    expect(failure).toBeUndefined();
    expect(text(plain)).toMatch(/^warning {2}duplicate_pair +1\n {9}The same query/m);
  });

  test("fails with exit code 3 where there are errors, and names them", async () => {
    const { failure } = await check([...CLEAN, { ...CLEAN[0], label: 0 }, "no json"]);
    expect(failure).toMatchObject({ exitCode: 3, message: expect.stringContaining("2 errors in ") });
    expect(failure?.problems.map(({ path, line }) => [path, line])).toEqual([
      ["unreadable_row", 6],
      ["contradicting_labels", 5],
    ]);
  });

  test("prints no line of more than 80 columns, however many findings there are", async () => {
    const bad = Array.from({ length: 30 }, (_, index) => ({
      query: `q${index} fÃ¼r`,
      passage: `p\u0000${index}`,
      label: "x",
    }));
    const more = Array.from({ length: 30 }, (_, index) => ({
      query: `query ${index} \uFFFD`,
      passage: `${index}`,
      label: 0,
    }));
    const text = (await check([...CLEAN, ...bad, ...more, CLEAN[0]])).text(plain);
    const [, ...below] = text.split("\n");
    expect(below.filter((line) => line.length > 80)).toEqual([]);
    expect(text).toContain("line 5, 6, 7, 8, 9, ...");
  });

  test("says that labels were not compared where there are no scores", async () => {
    expect((await check(CLEAN)).text(plain)).toContain("--scores");
  });

  test("wants --model and --max-length together, and another name for the copy", async () => {
    await expect(check(CLEAN, { maxLength: 64 })).rejects.toMatchObject({ code: "USAGE" });
    await expect(check(CLEAN, { model: "base" })).rejects.toMatchObject({ code: "USAGE" });
    const file = join(await temporaryFolder(), "same.jsonl");
    await writeFile(file, lines(CLEAN));
    const context = { home: "unused" } as unknown as CommandContext;
    await expect(dataCheck(file, { format: "auto", clean: file }, context)).rejects.toMatchObject({ code: "USAGE" });
  });
});
