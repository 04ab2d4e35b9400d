import { describe, expect, test } from "vitest";
import { settle } from "../../../../src/data-tools/reading/judged-group.js";
import type { MetText } from "../../../../src/data-tools/reading/rows.js";
import { StreamedData } from "../../../../src/data-tools/reading/streamed-data.js";
import { Findings } from "../../../../src/dataset/findings.js";
import { LabelledData } from "../../../../src/dataset/labelled.js";
import { seededIntegers } from "../../../../src/ranking/random.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";

async function streamed(met: (text: MetText) => void = () => undefined): Promise<StreamedData> {
  return new StreamedData("pairs", new Findings(), await temporaryFolder(), met);
}

describe("streamed data", () => {
  test.each([1, 2, 3])("settle to what LabelledData holds in memory (seed %i)", async (seed) => {
    const draw = seededIntegers(seed);
    const [stream, memory] = [await streamed(), new LabelledData("pairs")];
    for (let line = 1; line <= 400; line++) {
      const [query, passage] = [`query ${draw(30)}`, `passage ${draw(20)}`];
      const details = draw(3) === 0 ? { id: `id${draw(5)}`, lang: "de" } : {};
      const wantedId = draw(3) === 0 ? `doc${draw(4)}` : undefined;
      const judgement = { file: "f", line, label: draw(3), ...(draw(4) === 0 ? { teacher_score: line } : {}) };
      for (const data of [stream, memory])
        data.judge(
          data.queryWithText(query, { file: "f", line }, details),
          data.passageWithText(passage, wantedId),
          judgement,
        );
    }
    const groups = [...stream.groups()].map(settle);
    expect(groups.map(({ query }) => [query.id, query.text, query.line, query.lang])).toEqual(
      memory.queries.map(({ id, text, line, lang }) => [id, text, line, lang]),
    );
    expect(groups.map(({ passages }) => passages.map(({ id, text, label }) => [id, text, label]))).toEqual(
      memory.queries.map(({ judgements }) =>
        [...judgements].map(([passage, { label }]) => [
          memory.passageIds[passage],
          memory.passageTexts[passage],
          label,
        ]),
      ),
    );
    const repeats = groups.reduce(
      (sum, { duplicates, contradictions }) => sum + duplicates.length + contradictions.length,
      0,
    );
    expect(repeats).toBe(memory.findings.duplicates.total + memory.findings.conflicts.total);
    stream.close();
  });

  test("show every distinct text once, where it first stands", async () => {
    const met: string[] = [];
    const data = await streamed(({ side, text, place }) => met.push(`${side} ${text} ${place.line ?? "-"}`));
    for (const [line, passage] of [
      [1, "a"],
      [2, "b"],
      [3, "a"],
    ] as const)
      data.judge(data.queryWithText("q", { file: "f", line }), data.passageWithText(passage), {
        file: "f",
        line,
        label: 1,
      });
    data.addPassage("c1", "unjudged");
    data.meetUnjudged();
    expect(met).toEqual(["query q 1", "passage a 1", "passage b 2", "passage unjudged -"]);
    data.close();
  });

  test("add what later rows say of a query", async () => {
    const data = await streamed();
    data.queryWithText("q", { file: "f", line: 1 }, { groups: ["a"] });
    data.queryWithText("other", { file: "f", line: 2 });
    data.queryWithText("q", { file: "f", line: 3 }, { groups: ["a", "b"], lang: "fr" });
    expect([...data.groups()][0]?.query).toMatchObject({ line: 1, groups: ["a", "b"], lang: "fr" });
    data.close();
  });
});

describe("settling a group", () => {
  const row = (line: number, label: number, more: object = {}) => ({
    file: "f",
    line,
    label,
    passage: 1,
    id: "p",
    text: "t",
    ...more,
  });
  const group = (rows: ReturnType<typeof row>[]) =>
    settle({ number: 0, query: { file: "f", line: 1, id: "q", text: "q", groups: [] }, rows });

  test("names for every row left out the one that stays in the end", () => {
    const { passages, duplicates, contradictions } = group([row(1, 0), row(2, 1), row(3, 0), row(4, 1)]);
    expect(passages.map(({ line }) => line)).toEqual([2]);
    expect(duplicates.map(({ row: left, kept }) => [left.line, kept.line])).toEqual([[4, 2]]);
    expect(contradictions.map(({ row: left, kept }) => [left.line, kept.line])).toEqual([
      [1, 2],
      [3, 2],
    ]);
  });

  test("takes a teacher's score from a repetition", () => {
    expect(group([row(1, 1), row(2, 1, { teacher_score: 3 })]).passages[0]?.teacher_score).toBe(3);
  });
});
