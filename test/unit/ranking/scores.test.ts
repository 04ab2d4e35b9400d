import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readScores, scoresFor, writeScores } from "../../../src/ranking/scores.js";

describe("score files", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "scores-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("come back as they were written, to the last bit of a float32", async () => {
    const scores = new Map([
      [
        "q1",
        new Map([
          ["p1", Math.fround(-1.2345678)],
          ["p2", 3e-12],
        ]),
      ],
      ["q 2", new Map([["p1", 0]])],
    ]);
    await writeScores(join(folder, "s.tsv"), scores);
    expect(await readScores(join(folder, "s.tsv"))).toEqual(scores);
  });

  test("accept Python's words for values that are not finite", async () => {
    await writeFile(join(folder, "s.tsv"), "q\ta\tnan\nq\tb\t-inf\n");
    expect([...scoresFor(await readScores(join(folder, "s.tsv")), "q", ["a", "b"])]).toEqual([
      Number.NaN,
      Number.NEGATIVE_INFINITY,
    ]);
  });

  test("name the line that is malformed", async () => {
    await writeFile(join(folder, "s.tsv"), "q\ta\t1\nq\tb\tmuch\n");
    await expect(readScores(join(folder, "s.tsv"))).rejects.toMatchObject({
      code: "DATA_INVALID",
      problems: [{ line: 2 }],
    });
  });

  test("are refused when an id holds a tab", async () => {
    await expect(writeScores(join(folder, "s.tsv"), new Map([["q\t1", new Map([["p", 1]])]]))).rejects.toMatchObject({
      code: "DATA_INVALID",
    });
  });

  test("that lack a candidate are an error that names it", () => {
    expect(() => scoresFor(new Map([["q", new Map([["a", 1]])]]), "q", ["a", "b"])).toThrow(/passage "b"/);
  });
});
