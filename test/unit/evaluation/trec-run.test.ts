import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Findings } from "../../../src/dataset/findings.js";
import type { EvaluationGroup } from "../../../src/evaluation/groups.js";
import { readCandidateRun } from "../../../src/evaluation/run-file.js";
import { prepareRun, writeRun } from "../../../src/evaluation/trec-run.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

function group(query_id: string, ids: string[]): EvaluationGroup {
  const candidates = ids.map((id) => ({ id, text: "", label: 0, judged: false, first_stage_score: 0 }));
  return { query_id, query: "", candidates, missed: [] };
}

const GROUPS = [group("q1", ["a", "b", "c"]), group("empty", []), group("q2", ["x"])];

describe("a written run", () => {
  test("is sorted by score, ties by id downwards, with ranks from 1", async () => {
    const path = join(await temporaryFolder(), "deep", "out.trec");
    await prepareRun(path, GROUPS);
    await writeRun(path, GROUPS, [[0.5, 2, 0.5], [], [-1]], "my model");
    expect(await readFile(path, "utf8")).toBe(
      "q1 Q0 b 1 2 my_model\nq1 Q0 c 2 0.5 my_model\nq1 Q0 a 3 0.5 my_model\nq2 Q0 x 1 -1 my_model\n",
    );
    expect(await readdir(join(path, ".."))).toEqual(["out.trec"]);
  });

  test("reads back to the same float32 and float64", async () => {
    const path = join(await temporaryFolder(), "out.trec");
    const single = Float32Array.from([0.1, -3.4028234e38, 1e-45, 7.123456, 5.960464e-8]);
    const double = [0.1, 1 / 3, -2.5e-300, 123456789.12345678, 4.9e-324];
    const ids = ["a", "b", "c", "d", "e"];
    for (const scores of [single, double]) {
      await writeRun(path, [group("q", ids)], [scores], "m");
      const { ranked } = await readCandidateRun(path, new Set(["q"]), undefined, new Findings());
      const read = new Map(ranked.get("q")?.map(({ passage, score }) => [passage, score]));
      expect(ids.map((id) => read.get(id))).toEqual(Array.from(scores));
    }
  });

  test("puts a score that is not a number last, in a word that C reads", async () => {
    const path = join(await temporaryFolder(), "out.trec");
    await writeRun(path, [group("q", ["a", "b", "c"])], [[Number.NaN, Number.POSITIVE_INFINITY, 1]], "m");
    expect((await readFile(path, "utf8")).split("\n").map((line) => line.split(" ").slice(2, 5).join(" "))).toEqual([
      "b 1 inf",
      "c 2 1",
      "a 3 -inf",
      "",
    ]);
  });
});

describe("before the scoring", () => {
  test("an id with white space is refused: it would break the columns", async () => {
    const path = join(await temporaryFolder(), "out.trec");
    await expect(prepareRun(path, [group("q", ["a b"])])).rejects.toMatchObject({ code: "DATA_INVALID" });
    await expect(prepareRun(path, [group("q q", [])])).rejects.toMatchObject({ code: "DATA_INVALID" });
  });

  test("a place that cannot be written is refused", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "file");
    await writeFile(file, "");
    await expect(prepareRun(join(file, "out.trec"), GROUPS)).rejects.toMatchObject({ code: "NOT_WRITABLE" });
    await expect(prepareRun(folder, GROUPS)).rejects.toMatchObject({ code: "NOT_WRITABLE" });
  });
});
