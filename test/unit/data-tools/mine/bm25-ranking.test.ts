import { describe, expect, test } from "vitest";
import { rankByBm25 } from "../../../../src/data-tools/mine/bm25-ranking.js";
import { Pace } from "../../../../src/data-tools/mine/pace.js";
import { buildBm25 } from "../../../../src/dataset/bm25.js";
import { seededIntegers } from "../../../../src/ranking/random.js";
import { folderPerTest } from "../../../helpers/folder-per-test.js";
import { corpusOf, mineContext } from "../../../helpers/mining.js";

const folder = folderPerTest();
const pace = new Pace(mineContext());

describe("BM25 over a corpus on disk", () => {
  test("scores as the formula says, worked by hand", async () => {
    // Two passages of 1 and 3 words, mean length 2; "b" stands once in one of them: idf = ln(1 + 1.5 / 1.5) = ln 2.
    const corpus = await corpusOf(folder(), ["a", "a b c"]);
    const norm = 1.2 * (1 - 0.75 + (0.75 * 3) / 2);
    const [list] = await rankByBm25(corpus, ["b"], 5, pace);
    expect(list).toEqual({ passages: [1], scores: [expect.closeTo((Math.log(2) * 2.2) / (1 + norm), 12)] });
    corpus.close();
  });

  test("gives the ranking and the scores of the index in memory", async () => {
    const draw = seededIntegers(11);
    // A repeated draw makes low numbers frequent, as words are.
    const words = (count: number) => Array.from({ length: count }, () => `w${draw(draw(60) + 1)}`).join(" ");
    const texts = Array.from({ length: 400 }, () => words(1 + draw(30)));
    const queries = Array.from({ length: 30 }, () => words(1 + draw(6)));
    const corpus = await corpusOf(folder(), texts);
    const index = buildBm25(texts);
    const lists = await rankByBm25(corpus, queries, 25, pace);
    for (const [at, query] of queries.entries()) {
      const expected = index.search(query, 25);
      const { passages, scores } = lists[at] as (typeof lists)[number];
      expect(scores).toHaveLength(expected.length);
      for (const [place, hit] of expected.entries()) expect(scores[place]).toBeCloseTo(hit.score, 9);
      // Sums in another order differ in the last digit, so that equal scores may change places: the sets of scores decide.
      const own = index.scores(query, passages);
      for (const [place, score] of own.entries()) expect(scores[place]).toBeCloseTo(score, 9);
    }
    corpus.close();
  });

  test("ranks equal passages in the order of the corpus", async () => {
    const corpus = await corpusOf(folder(), ["x", "a b c", "c b a", "b c a"]);
    const [list] = await rankByBm25(corpus, ["a b c"], 3, pace);
    expect(list?.passages).toEqual([1, 2, 3]);
    corpus.close();
  });

  test("finds nothing for a query of unknown words or of none", async () => {
    const corpus = await corpusOf(folder(), ["a", "b"]);
    const nothing = { passages: [], scores: [] };
    expect(await rankByBm25(corpus, ["zebra", "?", ""], 3, pace)).toEqual([nothing, nothing, nothing]);
    corpus.close();
  });
});
