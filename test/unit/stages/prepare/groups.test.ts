import { describe, expect, test } from "vitest";
import { LabelledData, type LabelledQuery } from "../../../../src/dataset/labelled.js";
import { drawsFor } from "../../../../src/ranking/draws.js";
import { evaluationGroup, markClusters, recallOf } from "../../../../src/stages/prepare/evaluation-groups.js";
import { firstStages, resolveKinds } from "../../../../src/stages/prepare/first-stage.js";
import { prepareSchema } from "../../../../src/stages/prepare/schema.js";
import { knownPositives, trainingGroup } from "../../../../src/stages/prepare/training-groups.js";

const PLACE = { file: "f", line: 1 };
const NEGATIVES = prepareSchema.parse({}).negatives;

/** A collection of cats and dogs: d0 is relevant to q, d1 is judged not relevant, "dcopy" repeats d0 under another id. */
function collection(): { data: LabelledData; query: LabelledQuery } {
  const data = new LabelledData("beir");
  const texts = ["cat care guide", "cat food recall", "cat toys", "dog care", "cat breeds list", "stone walls"];
  for (const [index, text] of texts.entries()) data.addPassage(`d${index}`, text);
  data.addPassage("dcopy", "cat care guide");
  const query = data.queryWithText("cat care", PLACE, { id: "q" });
  data.judge(query, 0, { ...PLACE, label: 2 });
  data.judge(query, 1, { ...PLACE, label: 0 });
  return { data, query };
}

const bm25 = (data: LabelledData) => firstStages(data, undefined)("bm25");

describe("an evaluation group", () => {
  test("holds the candidates in first-stage order with ranks and labels", () => {
    const { data, query } = collection();
    const group = evaluationGroup(data, query, bm25(data), 3);
    expect(group?.passages.map(({ id, label, rank, source }) => [id, label, rank, source])).toEqual([
      ["d0", 2, 1, "judged"],
      ["dcopy", 0, 2, "bm25"],
      ["d3", 0, 3, "bm25"],
    ]);
    expect(group?.missed).toBeUndefined();
  });

  test("lists the relevant passages that the first stage missed", () => {
    const { data, query } = collection();
    data.judge(query, 5, { ...PLACE, label: 1 });
    const group = evaluationGroup(data, query, bm25(data), 3);
    expect(group?.missed).toEqual([{ id: "d5", label: 1 }]);
    expect(recallOf(group === undefined ? [] : [group])).toBe(0.5);
  });

  test("follows a given run to the letter", () => {
    const { data, query } = collection();
    const stage = firstStages(data, { tag: "mine", ranked: new Map([["q", [5, 0, 3]]]) })("run");
    expect(evaluationGroup(data, query, stage, 2)?.passages.map(({ id, source }) => [id, source])).toEqual([
      ["d5", "run"],
      ["d0", "judged"],
    ]);
    expect(stage.name).toBe("mine");
  });

  test("keeps its place without passages when the first stage returns nothing", () => {
    const { data } = collection();
    const query = data.queryWithText("zebra", PLACE);
    expect(evaluationGroup(data, query, bm25(data), 3).passages).toEqual([]);
  });

  test("of judged passages keeps all positives in BM25 order when negatives have to give way", () => {
    const { data, query } = collection();
    data.judge(query, 5, { ...PLACE, label: 1 });
    data.judge(query, 2, { ...PLACE, label: 0 });
    const group = evaluationGroup(data, query, firstStages(data, undefined)("judged"), 3);
    expect(group?.passages.map(({ id }) => id)).toEqual(["d0", "d2", "d5"]);
    expect(group?.missed).toBeUndefined();
  });
});

describe("the clusters of a side", () => {
  const groups = (...ids: string[]) => ids.map((query_id) => ({ query_id, query: query_id, passages: [] }));
  const clusters = (...members: string[][]) => members.map((ids) => ids.map((id) => ({ id })));

  test("are numbered from 1 in order of the groups; what stands alone is left as it is", () => {
    const marked = markClusters(groups("e", "a", "c", "b", "d"), clusters(["a", "b"], ["c"], ["d", "e"]));
    expect(marked.map(({ query_id, cluster }) => [query_id, cluster])).toEqual([
      ["e", 1],
      ["a", 2],
      ["c", undefined],
      ["b", 2],
      ["d", 1],
    ]);
    expect(marked[2]).not.toHaveProperty("cluster");
  });

  test("are those that several of its groups belong to, wherever the other members went", () => {
    const side = groups("a", "b", "unknown", "unknown too");
    expect(markClusters(side, clusters(["a", "elsewhere"], ["b"]))).toEqual(side);
  });
});

describe("a training group", () => {
  const make = (data: LabelledData, query: LabelledQuery, options = NEGATIVES) =>
    trainingGroup(data, query, bm25(data), knownPositives(data, data.queries), options, drawsFor(1, "test"));

  test("holds judged passages, then mined and random ones, each text once and no known positive", () => {
    const { data, query } = collection();
    const group = make(data, query, { ...NEGATIVES, per_query: 4, random: 1 });
    const passages = group?.passages ?? [];
    expect(passages.map(({ source }) => source)).toEqual(["judged", "judged", "bm25", "bm25", "random"]);
    expect(passages.filter(({ label }) => label > 0).map(({ id }) => id)).toEqual(["d0"]);
    expect(new Set(passages.map(({ text }) => text)).size).toBe(5);
  });

  test("never takes a positive of another query with the same words", () => {
    const { data, query } = collection();
    const twin = data.queryWithText("Cat, care?", PLACE);
    data.judge(twin, 3, { ...PLACE, label: 1 });
    expect(make(data, query)?.passages.map(({ id }) => id)).not.toContain("d3");
  });

  test("leaves out the top ranks of the first stage when told to", () => {
    const { data, query } = collection();
    const ranks = make(data, query, { ...NEGATIVES, skip_top: 4, random: 0 })?.passages.flatMap(
      ({ rank }) => rank ?? [],
    );
    expect(ranks?.length).toBeGreaterThan(0);
    expect(Math.min(...(ranks ?? []))).toBeGreaterThan(4);
  });

  test("mines nothing when there are judged negatives enough", () => {
    const { data, query } = collection();
    expect(make(data, query, { ...NEGATIVES, per_query: 1 })?.passages).toHaveLength(2);
  });

  test("without any negative is left out", () => {
    const data = new LabelledData("pairs");
    const query = data.queryWithText("q", PLACE);
    data.judge(query, data.passageWithText("only"), { ...PLACE, label: 1 });
    expect(make(data, query)).toBeUndefined();
  });
});

describe("`auto`", () => {
  const options = prepareSchema.parse({});

  test("takes BM25 when some passages are judged for no query", () => {
    expect(resolveKinds(collection().data, options, false)).toEqual({ candidates: "bm25", negatives: "bm25" });
  });

  test("takes the run when there is one", () => {
    expect(resolveKinds(collection().data, options, true)).toEqual({ candidates: "run", negatives: "run" });
  });

  test.each([
    [5, "judged"],
    [1, "bm25"],
  ] as const)(
    "takes the judged passages when all are judged; with %i negatives a query, training takes %s",
    (count, negatives) => {
      const data = new LabelledData("pairs");
      const query = data.queryWithText("q", PLACE);
      for (let index = 0; index <= count; index++)
        data.judge(query, data.passageWithText(`p${index}`), { ...PLACE, label: index === 0 ? 1 : 0 });
      expect(resolveKinds(data, options, false)).toEqual({ candidates: "judged", negatives });
    },
  );
});
