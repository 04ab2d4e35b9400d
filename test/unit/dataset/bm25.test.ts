import { describe, expect, test } from "vitest";
import { buildBm25 } from "../../../src/dataset/bm25.js";

const passages = ["the cat sat on the mat", "a dog and a cat", "dogs bark", "the mat", ""];

describe("BM25", () => {
  test("scores as the formula says, worked by hand", () => {
    // Two passages of 1 and 3 words, mean length 2; "b" stands once in one of them: idf = ln(1 + 1.5 / 1.5) = ln 2.
    const index = buildBm25(["a", "a b c"]);
    const norm = 1.2 * (1 - 0.75 + (0.75 * 3) / 2);
    expect(index.search("b", 5)).toEqual([{ passage: 1, score: expect.closeTo((Math.log(2) * 2.2) / (1 + norm), 12) }]);
  });

  test("returns only passages that share a term, best first", () => {
    const hits = buildBm25(passages).search("cat mat", 10);
    expect(hits.map(({ passage }) => passage).sort()).toEqual([0, 1, 3]);
    expect(hits.map(({ score }) => score)).toEqual([...hits.map(({ score }) => score)].sort((a, b) => b - a));
  });

  test("keeps the best of all when the depth is small", () => {
    const texts = Array.from({ length: 500 }, (_, index) => `word ${"filler ".repeat((index * 37) % 101)}`);
    const index = buildBm25(texts);
    const all = index.search("word", 500);
    expect(index.search("word", 7)).toEqual(all.slice(0, 7));
  });

  test("ranks equal scores in the order of the passages", () => {
    expect(
      buildBm25(["x y", "x z", "x w"])
        .search("x", 2)
        .map(({ passage }) => passage),
    ).toEqual([0, 1]);
  });

  test("forgets one query before the next", () => {
    const index = buildBm25(passages);
    const first = index.search("dog", 10);
    index.search("cat mat bark", 10);
    expect(index.search("dog", 10)).toEqual(first);
  });

  test("scores given passages as the search does, and 0 without a shared term", () => {
    const index = buildBm25(passages);
    const [best] = index.search("dog", 1);
    expect(index.scores("dog", [1, 2])).toEqual([best?.score, 0]);
  });

  test("finds nothing for an unknown word or an empty collection", () => {
    expect(buildBm25(passages).search("zebra", 3)).toEqual([]);
    expect(buildBm25([]).search("cat", 3)).toEqual([]);
  });
});
