import { describe, expect, test } from "vitest";
import { candidatesOf } from "../../../../src/data-tools/mine/candidates.js";
import type { MineQuery } from "../../../../src/data-tools/mine/queries.js";
import { folderPerTest } from "../../../helpers/folder-per-test.js";
import { corpusOf } from "../../../helpers/mining.js";

const folder = folderPerTest();

function query(judged: { id: string; text: string; label: number }[], alsoRelevant: string[] = []): MineQuery {
  return {
    id: "q1",
    text: "the question",
    judged: judged.map((passage) => ({ ...passage, row: passage })),
    alsoRelevant,
    split: undefined,
    details: {},
  };
}

const TEXTS = [
  "The tenant pays the rent on the third working day of each month.",
  "the tenant pays the rent, on the third working day of each MONTH",
  "The tenant pays the whole rent on the third working day of each month.",
  "The landlord returns the deposit after the lease has ended.",
  "A contract needs two parties.",
  "A contract needs two parties!",
  "Water boils at a hundred degrees.",
];
const list = (...passages: number[]) => ({ passages, scores: passages.map((_, at) => 10 - at) });
const none = { ranks: { first: 1, last: 10 }, random: 0, seed: 7 };

async function ranked(asked: MineQuery, ranking: ReturnType<typeof list>, options = none) {
  const corpus = await corpusOf(folder(), TEXTS);
  try {
    return candidatesOf(asked, ranking, corpus, options);
  } finally {
    corpus.close();
  }
}

describe("candidates", () => {
  test("are never a relevant passage, its exact copy under another id, or nearly the same", async () => {
    const positive = { id: "elsewhere", text: TEXTS[0] as string, label: 1 };
    const found = await ranked(query([positive]), list(0, 1, 2, 3));
    expect(found.ranked.map(({ id }) => id)).toEqual(["p3"]);
    expect(found.duplicates).toBe(3);
  });

  test("are not relevant to another query of the same words either", async () => {
    const found = await ranked(query([], [TEXTS[3] as string]), list(3, 6));
    expect(found.ranked.map(({ id }) => id)).toEqual(["p6"]);
  });

  test("are not judged by this query, even when the judged text was edited since", async () => {
    const judged = { id: "p3", text: "Wholly rewritten.", label: 0 };
    expect((await ranked(query([judged]), list(3, 6))).ranked.map(({ id }) => id)).toEqual(["p6"]);
  });

  test("do not repeat one another: the better ranked copy stays", async () => {
    expect((await ranked(query([]), list(5, 6, 4))).ranked.map(({ id }) => id)).toEqual(["p5", "p6"]);
  });

  test("come from the rank window with their rank and score in the whole list", async () => {
    const found = await ranked(query([]), list(0, 3, 4, 6), { ...none, ranks: { first: 2, last: 3 } });
    expect(found.ranked).toEqual([
      { id: "p3", text: TEXTS[3], rank: 2, score: 9 },
      { id: "p4", text: TEXTS[4], rank: 3, score: 8 },
    ]);
  });

  test("are fewer or none when the list ends before the window does", async () => {
    const window = { ...none, ranks: { first: 4, last: 100 } };
    expect((await ranked(query([]), list(0, 3, 4, 6), window)).ranked).toHaveLength(1);
    expect((await ranked(query([]), list(), window)).ranked).toEqual([]);
  });

  test("drawn at random are none of the ranked ones, and the same for the same seed and query", async () => {
    const options = { ...none, random: 2 };
    const first = await ranked(query([]), list(0, 1, 2), options);
    expect(first.random.map(({ id }) => id).every((id) => !["p0", "p1", "p2"].includes(id))).toBe(true);
    expect(first.random.length).toBeGreaterThanOrEqual(2);
    expect(first.random.every(({ rank, score }) => rank === undefined && score === undefined)).toBe(true);
    expect(await ranked(query([]), list(0, 1, 2), options)).toEqual(first);
    const orders = new Set<string>();
    for (let seed = 0; seed < 8; seed++)
      orders.add((await ranked(query([]), list(0), { ...options, seed })).random.map(({ id }) => id).join());
    expect(orders.size).toBeGreaterThan(1);
  });

  test("drawn at random end with the corpus", async () => {
    const found = await ranked(query([]), list(0, 1, 2, 3, 4, 5), { ...none, random: 3 });
    expect(found.random.map(({ id }) => id)).toEqual(["p6"]);
  });
});
