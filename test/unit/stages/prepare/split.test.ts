import { describe, expect, test } from "vitest";
import type { Split } from "../../../../src/dataset/groups.js";
import type { LabelledQuery } from "../../../../src/dataset/labelled.js";
import { seededIntegers } from "../../../../src/ranking/random.js";
import { clustersOf, type SplitResult, splitQueries } from "../../../../src/stages/prepare/split.js";

const OPTIONS = { seed: 7, split: { dev: 0.1, test: 0.15 } };
const SIDES = ["train", "dev", "test"] as const;

function query(
  id: string,
  text: string,
  more: { split?: Split; groups?: string[]; line?: number; source?: string } = {},
): LabelledQuery {
  return { id, text, groups: [], judgements: new Map(), file: "queries.jsonl", line: 1, ...more };
}

const numbered = (count: number, more: { split?: Split; source?: string } = {}, from = 0) =>
  Array.from({ length: count }, (_, index) =>
    query(`q${from + index}`, `word${from + index} thing${from + index}`, more),
  );

/** Side of each query id. */
function sideOf({ sides }: SplitResult): Map<string, Split> {
  return new Map(SIDES.flatMap((side) => sides[side].map(({ id }): [string, Split] => [id, side])));
}

describe("a split by query", () => {
  test("gives each side its share and every query one side", () => {
    const { sides } = splitQueries(numbered(200), OPTIONS);
    expect(SIDES.map((side) => sides[side].length)).toEqual([150, 20, 30]);
    expect(new Set(SIDES.flatMap((side) => sides[side].map(({ id }) => id))).size).toBe(200);
  });

  test("is the same for the same seed, in the same order, and another for another", () => {
    const ids = (seed: number) =>
      SIDES.map((side) => splitQueries(numbered(100), { ...OPTIONS, seed }).sides[side].map(({ id }) => id));
    expect(ids(1)).toEqual(ids(1));
    expect(ids(1)).not.toEqual(ids(2));
  });

  test.each([1, 2, 3, 4, 5])("never has near-duplicates or a shared group on two sides (seed %i)", (seed) => {
    const draw = seededIntegers(seed);
    const queries = Array.from({ length: 120 }, (_, index) =>
      query(`q${index}`, Array.from({ length: 4 + draw(4) }, () => `w${draw(25)}`).join(" "), {
        groups: draw(4) === 0 ? [`g${draw(12)}`] : [],
      }),
    );
    const sides = sideOf(splitQueries(queries, { ...OPTIONS, seed }));
    for (const cluster of clustersOf(queries)) expect(new Set(cluster.map(({ id }) => sides.get(id))).size).toBe(1);
  });

  test("leaves a cluster larger than dev and test in train", () => {
    const same = Array.from({ length: 60 }, (_, index) =>
      query(`s${index}`, index % 2 === 0 ? "Is it due?" : "is it due"),
    );
    const sides = sideOf(splitQueries([...same, ...numbered(40)], OPTIONS));
    expect(new Set(same.map(({ id }) => sides.get(id)))).toEqual(new Set(["train"]));
  });

  test("that would leave a side empty is refused", () => {
    const same = Array.from({ length: 30 }, (_, index) => query(`s${index}`, "the same words"));
    expect(() => splitQueries(same, OPTIONS)).toThrow(expect.objectContaining({ code: "DATA_INVALID" }));
  });
});

describe("the data's own split", () => {
  const own = (train: number, dev: number, test_: number) => [
    ...numbered(train, { split: "train" }),
    ...numbered(dev, { split: "dev" }, 1000),
    ...numbered(test_, { split: "test" }, 2000),
  ];
  const counts = ({ sides }: SplitResult) => SIDES.map((side) => sides[side].length);

  test("is kept when it has all three sides", () => {
    const queries = own(30, 10, 12);
    const sides = sideOf(splitQueries(queries, OPTIONS));
    for (const { id, split } of queries) expect(sides.get(id)).toBe(split);
  });

  test("without test halves dev, and leaves train alone", () => {
    const result = splitQueries(own(30, 20, 0), OPTIONS);
    expect(counts(result)).toEqual([30, 10, 10]);
    expect(result.sides.train.every(({ split }) => split === "train")).toBe(true);
  });

  test("without dev takes dev out of train", () => {
    expect(counts(splitQueries(own(40, 0, 10), OPTIONS))).toEqual([36, 4, 10]);
  });

  test("with a single side is no split", () => {
    expect(counts(splitQueries(own(0, 0, 100), OPTIONS))).toEqual([75, 10, 15]);
  });

  test("loses a training query whose words stand in test, and names both lines", () => {
    const queries = [...own(20, 5, 5), query("leak", "Word2000 thing2000!", { split: "train", line: 77 })];
    const result = splitQueries(queries, OPTIONS);
    expect(sideOf(result).has("leak")).toBe(false);
    expect(result.leaked.listed).toMatchObject([
      { line: 77, message: "the same query stands in test (line 1); it is left out of train" },
    ]);
  });

  test("keeps near-duplicates across its sides, but reports them", () => {
    const queries = [
      ...own(20, 5, 5),
      query("a", "one two three four five six", { split: "train" }),
      query("b", "one two three four five six seven", { split: "test", line: 9 }),
    ];
    const result = splitQueries(queries, OPTIONS);
    expect(sideOf(result).get("b")).toBe("test");
    expect(result.similar.listed).toMatchObject([{ line: 9 }]);
  });
});

describe("the clusters of a split", () => {
  const ids = ({ clusters }: { clusters: LabelledQuery[][] }) =>
    clusters.map((members) => members.map(({ id }) => id)).filter(({ length }) => length > 1);

  test("are those it was made by: near-duplicates, and queries of one group", () => {
    const queries = [
      ...numbered(40),
      query("a", "one two three four five six"),
      query("b", "one two three four five six seven"),
      query("c", "something else", { groups: ["document 1"] }),
      query("d", "another thing", { groups: ["document 1"] }),
    ];
    expect(ids(splitQueries(queries, OPTIONS))).toEqual([
      ["a", "b"],
      ["c", "d"],
    ]);
  });

  test("are found in the data's own split too, across its sides and without what leaked", () => {
    const queries = [
      ...numbered(20, { split: "train" }),
      ...numbered(5, { split: "dev" }, 1000),
      query("a", "one two three four five six", { split: "test", groups: ["document 1"] }),
      query("b", "something else", { split: "test", groups: ["document 1"] }),
      query("c", "one two three four five six seven", { split: "train" }),
      query("leak", "Something else!", { split: "train" }),
    ];
    expect(ids(splitQueries(queries, OPTIONS))).toEqual([["a", "b", "c"]]);
  });
});

describe("queries that a model made up", () => {
  const madeUp = numbered(300, { split: "train", source: "synthetic" }, 1000);

  test("stay in train, and people's own queries are split as if they were alone", () => {
    const own = numbered(100);
    const { sides } = splitQueries([...own, ...madeUp], OPTIONS);
    expect([sides.dev.length, sides.test.length]).toEqual([10, 15]);
    expect([...sides.dev, ...sides.test].filter(({ source }) => source === "synthetic")).toEqual([]);
  });

  test("change nothing in a split that the data gives", () => {
    const own = [
      ...numbered(20, { split: "train" }),
      ...numbered(6, { split: "dev" }, 20),
      ...numbered(6, { split: "test" }, 30),
    ];
    const { sides } = splitQueries([...own, ...madeUp], OPTIONS);
    expect([sides.train.length, sides.dev.length, sides.test.length]).toEqual([320, 6, 6]);
  });

  test("cannot be all there is", () => {
    expect(() => splitQueries(madeUp, OPTIONS)).toThrow(expect.objectContaining({ code: "DATA_INVALID" }));
  });
});
