import { describe, expect, test } from "vitest";
import { distinctQueries } from "../../../../src/data-tools/synthesize/distinct.js";

const made = (...texts: string[]) => texts.map((text, passage) => ({ text, passage }));

describe("distinct queries", () => {
  test("leave out what repeats a known query in other case, order or punctuation", () => {
    const known = ["When is the deposit returned?"];
    const found = distinctQueries(known, made("is the deposit returned, when", "who pays the heating"));
    expect(found).toEqual({ kept: [{ text: "who pays the heating", passage: 1 }], avoided: 1, duplicates: 0 });
  });

  test("leave out what shares four of five words with a known one", () => {
    // 4 common words of 5 in all: 0.8.
    const found = distinctQueries(["who pays the heating costs"], made("who pays the heating", "who pays the"));
    expect(found.kept.map(({ text }) => text)).toEqual(["who pays the"]);
    expect(found.avoided).toBe(1);
  });

  test("keep the first of several that are alike", () => {
    const found = distinctQueries([], made("a b c d e", "b a c d e", "x y z", "a b c d e f"));
    expect(found).toEqual({
      kept: [
        { text: "a b c d e", passage: 0 },
        { text: "x y z", passage: 2 },
      ],
      avoided: 0,
      duplicates: 2,
    });
  });

  test("keep away from a known query by way of others too, as a split does", () => {
    // Alike are neighbours only: 4 of 5, then 4 of 5 words again.
    const chain = ["a b c d", "a b c d e", "b c d e"];
    const found = distinctQueries(chain.slice(0, 1), made(...chain.slice(1)));
    expect(found).toEqual({ kept: [], avoided: 2, duplicates: 0 });
  });
});
