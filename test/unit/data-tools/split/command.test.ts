import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { CommandContext } from "../../../../src/commands/context.js";
import { type DataSplitFlags, dataSplit } from "../../../../src/commands/data-split.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";

async function split(flags: Partial<DataSplitFlags>) {
  const folder = await temporaryFolder();
  const [file, out] = [join(folder, "pairs.jsonl"), join(folder, "out")];
  const rows = Array.from({ length: 40 }, (_, index) => ({
    query: `alpha${index} beta${index}`,
    passage: `p ${index}`,
    label: 1,
  }));
  await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const context = { signal: new AbortController().signal, emit: () => undefined, home: join(folder, "home") };
  const usual = { format: "auto", out, by: "query", dev: 0.1, test: 0.15, timeField: "time", seed: 7 } as const;
  return await dataSplit(file, { ...usual, ...flags }, context as unknown as CommandContext);
}

describe("data split", () => {
  test("prints a row for each file, in at most 80 columns", async () => {
    const text = (await split({})).text((_, plain) => plain);
    expect(text).toMatch(/train\.jsonl +30 +30 +[0-9a-f]{12}\ndev\.jsonl +4 +4 .*\ntest\.jsonl +6 +6 /);
    expect(text.split("\n").filter((line) => line.length > 80 && !line.startsWith("written to"))).toEqual([]);
  });

  test.each([
    { dev: 0.5, test: 0.5 },
    { test: 0 },
    { dev: -0.1 },
    { dev: Number.NaN },
    { folds: 1 },
    { folds: 21 },
    { folds: 5, by: "time" as const },
  ])("refuses %j", async (flags) => {
    await expect(split(flags)).rejects.toMatchObject({ code: "USAGE" });
  });
});
