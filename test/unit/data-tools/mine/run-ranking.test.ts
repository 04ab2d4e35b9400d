import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Pace } from "../../../../src/data-tools/mine/pace.js";
import { rankByRun } from "../../../../src/data-tools/mine/run-ranking.js";
import { folderPerTest } from "../../../helpers/folder-per-test.js";
import { corpusOf, mineContext } from "../../../helpers/mining.js";

const folder = folderPerTest();
const pace = new Pace(mineContext());

async function rank(rows: readonly string[], queries: readonly string[], depth: number) {
  const corpus = await corpusOf(folder(), ["zero", "one", "two", "three"]);
  const file = join(folder(), "run.trec");
  await writeFile(file, rows.join("\n"));
  try {
    return await rankByRun(file, corpus, queries, depth, pace);
  } finally {
    corpus.close();
  }
}

describe("a run as the ranking", () => {
  test("is ordered by score, then by its rank column, and cut", async () => {
    const rows = ["q1 Q0 p0 3 1.0 t", "q1 Q0 p1 2 5.0 t", "q1 Q0 p2 1 5.0 t", "q1 Q0 p3 4 0.5 t"];
    expect(await rank(rows, ["q1"], 3)).toEqual([{ passages: [2, 1, 0], scores: [5, 5, 1] }]);
  });

  test("gives an empty list to a query it does not have, and leaves out queries nobody asked for", async () => {
    expect(await rank(["q1 Q0 p0 1 1 t", "q9 Q0 elsewhere 1 1 t"], ["q2", "q1"], 3)).toEqual([
      { passages: [], scores: [] },
      { passages: [0], scores: [1] },
    ]);
  });

  test("keeps the best of a query that has far more rows than are wanted", async () => {
    const rows = Array.from({ length: 500 }, (_, at) => `q1 Q0 ${at === 499 ? "p3" : "p1"}${at} ${at + 1} ${at} t`);
    const best = await rank([...rows, "q1 Q0 p2 1 900 t", "q1 Q0 p3 1 800 t"], ["q1"], 2);
    expect(best).toEqual([{ passages: [2, 3], scores: [900, 800] }]);
  });

  test("with broken rows, unknown passages or a passage twice is refused with lines", async () => {
    await expect(rank(["q1 Q0 p0 one 1 t", "q1 p1"], ["q1"], 3)).rejects.toMatchObject({
      code: "DATA_INVALID",
      problems: [{ line: 1 }, { line: 2 }],
    });
    await expect(rank(["q1 Q0 p0 1 2 t", "q1 Q0 p77 2 1 t"], ["q1"], 3)).rejects.toMatchObject({
      problems: [{ line: 2, message: "names a passage that the corpus does not have" }],
    });
    await expect(rank(["q1 Q0 p0 1 2 t", "q1 Q0 p0 2 1 t"], ["q1"], 3)).rejects.toMatchObject({
      problems: [{ line: 2, message: "repeats a passage of the same query" }],
    });
  });

  test("of other queries, or that is not there, is refused", async () => {
    await expect(rank(["q8 Q0 p0 1 2 t"], ["q1"], 3)).rejects.toMatchObject({ code: "DATA_INVALID" });
    const corpus = await corpusOf(folder(), ["zero"]);
    await expect(rankByRun(join(folder(), "no.trec"), corpus, ["q1"], 3, pace)).rejects.toMatchObject({
      code: "DATA_NOT_FOUND",
    });
    corpus.close();
  });
});
