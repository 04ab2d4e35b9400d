import { describe, expect, test } from "vitest";
import { Clusters, joinNearDuplicates, NEAR_DUPLICATE_SIMILARITY } from "../../../src/dataset/near-duplicates.js";
import { terms } from "../../../src/dataset/text.js";
import { seededIntegers } from "../../../src/ranking/random.js";

function clustered(texts: string[]): number[][] {
  const clusters = new Clusters(texts.length);
  joinNearDuplicates(texts, clusters);
  return clusters.members();
}

describe("near-duplicates", () => {
  test("are joined when they differ in case, punctuation or word order", () => {
    expect(clustered(["Is VAT due?", "is vat due", "due is VAT", "something else"])).toEqual([[0, 1, 2], [3]]);
  });

  test("are joined from four fifths of common words up", () => {
    expect(clustered(["a b c d e f g h i", "a b c d e f g h i j", "a b c d q r s t u"])).toEqual([[0, 1], [2]]);
  });

  test("are not joined by a shared frame alone", () => {
    expect(clustered(["what are the symptoms of asthma", "what are the symptoms of gout"])).toEqual([[0], [1]]);
  });

  test("without any word are compared as they are written", () => {
    expect(clustered(["??", "!!", "??"])).toEqual([[0, 2], [1]]);
  });

  test("are all found: prefix filtering misses no pair that comparing everything finds", () => {
    const draw = seededIntegers(3);
    const texts = Array.from({ length: 150 }, () => Array.from({ length: 3 + draw(6) }, () => `w${draw(9)}`).join(" "));
    const expected = new Clusters(texts.length);
    const sets = texts.map((text) => new Set(terms(text)));
    for (const [i, left] of sets.entries())
      for (const [j, right] of sets.entries()) {
        const common = [...left].filter((word) => right.has(word)).length;
        if (common / (left.size + right.size - common) >= NEAR_DUPLICATE_SIMILARITY) expected.join(i, j);
      }
    expect(clustered(texts)).toEqual(expected.members());
  });
});
