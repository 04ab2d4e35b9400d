import { describe, expect, test } from "vitest";
import { Clusters } from "../../../src/dataset/near-duplicates.js";
import { terms } from "../../../src/dataset/text.js";
import { WordSets } from "../../../src/dataset/word-sets.js";
import { seededIntegers } from "../../../src/ranking/random.js";

function clustered(texts: readonly string[], similarity = 0.8): number[][] {
  const sets = new WordSets();
  for (const text of texts) sets.add(text);
  const clusters = new Clusters(sets.size);
  sets.eachSimilar(similarity, (earlier, later) => {
    expect(earlier).toBeLessThan(later);
    clusters.join(earlier, later);
  });
  return clusters.members();
}

/** The same by comparing everything with everything. */
function compared(texts: readonly string[], similarity: number): number[][] {
  const clusters = new Clusters(texts.length);
  const sets = texts.map((text) => new Set(terms(text)));
  for (const [i, left] of sets.entries())
    for (const [j, right] of sets.entries()) {
      const common = [...left].filter((word) => right.has(word)).length;
      if (common / (left.size + right.size - common) >= similarity) clusters.join(i, j);
    }
  return clusters.members();
}

describe("similar word sets", () => {
  test("are those of equal words, whatever case, accents, punctuation and order", () => {
    expect(clustered(["Is VAT dué?", "due is vat", "is VAT", "due, is vat!"])).toEqual([[0, 1, 3], [2]]);
  });

  test("are found at exactly four fifths, also where 0.8 times the words rounds up: 28 of 35", () => {
    const words = Array.from({ length: 35 }, (_, number) => `w${number}`);
    expect(clustered([words.join(" "), words.slice(0, 28).join(" ")])).toEqual([[0, 1]]);
    expect(clustered([words.join(" "), words.slice(0, 27).join(" ")])).toEqual([[0], [1]]);
  });

  test("without any word are compared as they are written", () => {
    expect(clustered(["??", "!!", " ?? ", ""])).toEqual([[0, 2], [1], [3]]);
  });

  test.each([
    [3, 0.8, 9],
    [4, 0.8, 30],
    [5, 0.5, 12],
    [6, 0.9, 14],
  ])("are the ones that comparing everything finds (seed %i, similarity %d)", (seed, similarity, vocabulary) => {
    const draw = seededIntegers(seed);
    const text = () => Array.from({ length: 1 + draw(12) }, () => `w${draw(vocabulary)}`).join(" ");
    const texts = Array.from({ length: 150 }, text);
    expect(clustered(texts, similarity)).toEqual(compared(texts, similarity));
  });

  test("may be asked for again after more texts came", () => {
    const sets = new WordSets();
    const pairs = () => {
      const found: number[][] = [];
      sets.eachSimilar(0.8, (earlier, later) => found.push([earlier, later]));
      return found;
    };
    sets.add("one two");
    sets.add("two one");
    expect(pairs()).toEqual([[0, 1]]);
    sets.add("one two");
    expect(pairs()).toEqual([
      [0, 1],
      [0, 2],
    ]);
  });
});
