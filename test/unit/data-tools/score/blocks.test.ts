import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scoreBlocks } from "../../../../src/data-tools/score/blocks.js";
import { PartFile } from "../../../../src/data-tools/score/part-file.js";
import type { Teacher } from "../../../../src/data-tools/score/teacher.js";
import { folderPerTest } from "../../../helpers/folder-per-test.js";

const folder = folderPerTest();

/** A teacher whose scores tell which groups were scored together. */
function teacherOf(block: number): { teacher: Teacher; blocks: string[] } {
  const blocks: string[] = [];
  const score: Teacher["score"] = async (groups) => {
    const together = groups.map(({ query }) => query).join("");
    blocks.push(together);
    return groups.map(() => [Number.parseInt(together, 36)]);
  };
  const close = async () => undefined;
  return { teacher: { name: "t", identity: {}, block, concurrency: 1, score, close }, blocks };
}

async function run(part: PartFile, block: number, items: string): Promise<string[]> {
  const { teacher, blocks } = teacherOf(block);
  await scoreBlocks({
    items,
    teacher,
    part,
    groupOf: (query) => ({ query, passages: ["p"] }),
    lineOf: (query, [score]) => `${query} ${score}`,
    onProgress: () => undefined,
    signal: new AbortController().signal,
  });
  return blocks;
}

describe("scoring in blocks", () => {
  test("scores the same groups together, whatever was done before, and ends with the same bytes", async () => {
    const whole = join(folder(), "whole");
    expect(await run(await PartFile.open(whole), 3, "abcdefgh")).toEqual(["abc", "def", "gh"]);
    const bytes = await readFile(whole, "utf8");
    const lines = bytes.split("\n");
    for (const [done, expected] of [
      [0, ["abc", "def", "gh"]],
      [2, ["abc", "def", "gh"]],
      [3, ["def", "gh"]],
      [4, ["def", "gh"]],
      [7, ["gh"]],
      [8, []],
    ] as const) {
      const part = join(folder(), `part${done}`);
      await writeFile(part, [...lines.slice(0, done), "torn"].join("\n"));
      expect(await run(await PartFile.open(part), 3, "abcdefgh")).toEqual(expected);
      expect(await readFile(part, "utf8")).toBe(bytes);
    }
  });
});
