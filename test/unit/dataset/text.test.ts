import { describe, expect, test } from "vitest";
import { normalisedKey, terms } from "../../../src/dataset/text.js";

describe("terms", () => {
  test("are lower-case words without accents or punctuation", () => {
    expect(terms("Ménière's  DISEASE, (left)")).toEqual(["meniere", "s", "disease", "left"]);
  });

  test("keep the vowel signs of scripts in which they carry meaning", () => {
    expect(terms("हिन्दी में")).toEqual(["हिन्दी", "में"]);
  });

  test("of unspaced scripts are overlapping character pairs, beside the words of others", () => {
    expect(terms("BERT东京都")).toEqual(["bert", "东京", "京都"]);
  });

  test("keep composed Hangul syllables whole", () => {
    expect(terms("서울 시")).toEqual(["서울", "시"]);
  });
});

describe("normalisedKey", () => {
  test("is equal for texts that differ in case, accents, punctuation and spacing only", () => {
    expect(normalisedKey("What is  Élan?")).toBe(normalisedKey("what is elan"));
  });

  test("of a text without words is the text", () => {
    expect(normalisedKey(" ?! ")).toBe("?!");
  });
});
