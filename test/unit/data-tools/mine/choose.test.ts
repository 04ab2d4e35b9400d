import { describe, expect, test } from "vitest";
import type { BaseScores, ScoreRequest } from "../../../../src/data-tools/mine/base-scores.js";
import { type Choice, chooseNegatives, countChoice } from "../../../../src/data-tools/mine/choose.js";
import type { MineQuery } from "../../../../src/data-tools/mine/queries.js";

const options = { from: "bm25" as const, perQuery: 3, random: 1, maxShare: 0.95 };

function choice(ranked: string[], random: string[], positives = ["positive"]): Choice {
  const query: MineQuery = {
    id: "q",
    text: "q",
    judged: [
      ...positives.map((id) => ({ id, text: id, label: 2, row: {} })),
      { id: "judged negative", text: "", label: 0, row: {} },
    ],
    alsoRelevant: [],
    split: undefined,
    details: {},
  };
  const candidate = (id: string) => ({ id, text: id });
  const withRanks = ranked.map((id, at) => ({ ...candidate(id), rank: at + 1, score: 10 - at }));
  return { query, candidates: { ranked: withRanks, random: random.map(candidate), duplicates: 2 } };
}

/** Base scores by id; keeps the ids of every call. */
function fakeBase(logits: Record<string, number>): BaseScores & { asked: string[][] } {
  const asked: string[][] = [];
  const score = async (requests: readonly ScoreRequest[]) => {
    asked.push(requests.flatMap(({ passages }) => passages.map(({ id }) => id)));
    return requests.map(({ passages }) => passages.map(({ id }) => logits[id]));
  };
  return { score, asked, close: async () => undefined };
}

const ids = (negatives: readonly { id: string }[]) => negatives.map(({ id }) => id);

describe("without base scores", () => {
  test("the hardest are taken first and the random ones come last, each with its source", async () => {
    const [chosen] = await chooseNegatives([choice(["a", "b", "c"], ["r", "s"])], undefined, options);
    expect(chosen?.negatives).toEqual([
      { id: "a", text: "a", rank: 1, score: 10, source: "bm25" },
      { id: "b", text: "b", rank: 2, score: 9, source: "bm25" },
      { id: "r", text: "r", source: "random" },
    ]);
  });

  test("too few candidates of one kind are not made up by the other", async () => {
    const [chosen] = await chooseNegatives([choice(["a"], ["r", "s"])], undefined, options);
    expect(ids(chosen?.negatives ?? [])).toEqual(["a", "r"]);
  });
});

describe("the filter against false negatives", () => {
  test("works in probability space: 0.95 * sigmoid(best positive), worked by hand", async () => {
    // sigmoid(0) = 0.5, so the limit is 0.475 = sigmoid(-0.1001); a share of the logit 0 would let anything below 0 pass.
    const base = fakeBase({ positive: 0, a: -0.05, b: -0.0995, c: -0.101, d: -3, r: 4, s: -5 });
    const [chosen] = await chooseNegatives([choice(["a", "b", "c", "d"], ["r", "s"])], base, options);
    expect(ids(chosen?.negatives ?? [])).toEqual(["c", "d", "s"]);
    expect(chosen?.likelyPositives).toBe(3);
    expect(chosen?.negatives[0]).toMatchObject({ base_score: -0.101, rank: 3, source: "bm25" });
  });

  test("measures against the best of several positives, and judged negatives do not count", async () => {
    const base = fakeBase({ weak: -4, strong: 2, "judged negative": 9, a: 1, b: 1, r: 0 });
    // sigmoid(1) = 0.731 is below 0.95 * sigmoid(2) = 0.837, but far above the weak positive.
    const [chosen] = await chooseNegatives([choice(["a", "b"], ["r"], ["weak", "strong"])], base, options);
    expect(ids(chosen?.negatives ?? [])).toEqual(["a", "b", "r"]);
    expect(base.asked.flat()).not.toContain("judged negative");
  });

  test("asks for no more scores than it needs, all queries of a round together", async () => {
    const logits = { positive: 3, a: 5, b: -1, c: -1, d: -1, e: -1, r: -1, s: -1 };
    const base = fakeBase(logits);
    const both = [choice(["a", "b", "c", "d"], ["r", "s"]), choice(["b", "c", "d", "e"], ["s"])];
    const chosen = await chooseNegatives(both, base, options);
    expect(chosen.map(({ negatives }) => ids(negatives))).toEqual([
      ["b", "c", "r"],
      ["b", "c", "s"],
    ]);
    expect(base.asked).toEqual([["positive", "positive"], ["a", "b", "r", "b", "c", "s"], ["c"]]);
  });

  test("takes nothing that has no score, nor one that is not a number", async () => {
    const base = fakeBase({ positive: 3, b: Number.NaN, c: -2 });
    const [chosen] = await chooseNegatives([choice(["a", "b", "c"], ["r"])], base, options);
    expect(ids(chosen?.negatives ?? [])).toEqual(["c"]);
    expect(chosen).toMatchObject({ unscored: 2, likelyPositives: 1 });
  });

  test("takes nothing where no positive has a score: there is nothing to measure against", async () => {
    const [chosen] = await chooseNegatives([choice(["a"], ["r"])], fakeBase({ a: -9, r: -9 }), options);
    expect(chosen).toEqual({ negatives: [], likelyPositives: 0, unscored: 2 });
  });
});

describe("the counts", () => {
  test("add up what became of the candidates", async () => {
    const counts = { mined: 1, random: 0, duplicates: 0, likely_positives: 0, unscored: 0, short: 0 };
    const one = choice(["a", "b"], ["r"]);
    const [chosen] = await chooseNegatives([one], fakeBase({ positive: 0, a: 1, b: -1, r: -1 }), options);
    if (chosen !== undefined) countChoice(counts, one, chosen, 3);
    expect(counts).toEqual({ mined: 2, random: 1, duplicates: 2, likely_positives: 1, unscored: 0, short: 1 });
  });
});
