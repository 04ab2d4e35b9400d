import { describe, expect, test } from "vitest";
import { exemplarVersion, isKnownLanguage, lettersOf } from "../../../src/trim/alphabet.js";

const has = (letters: string, ...languages: string[]) => {
  const known = lettersOf(languages);
  return [...letters].map((letter) => known.has(letter));
};

describe("the letters of a language", () => {
  test.each([
    ["de", "azäöüßAZÄÖÜẞ", "éøя漢"],
    ["fr", "àâæçéèêëîïôœùûüÿŒÀ", "ßñя"],
    ["it", "àéèìòùÈ", "äñ"],
    ["tr", "ıİğşIi", "âwx"],
    ["sk", "ďľŕzDZ", "{} ř"],
    ["ru", "ёъЁЪ", "іa"],
    ["ko", "가힣", "漢ㄱ"],
    ["ja", "あアー日", "가"],
    ["hi", "क्षा", "a"],
  ])("%s has %s and not %s", (language, letters, others) => {
    expect(has(letters, language)).not.toContain(false);
    expect(has(others, language)).not.toContain(true);
  });

  test("are those of all languages together", () => {
    expect(has("éßñ", "de", "fr")).toEqual([true, true, false]);
  });

  test("follow the script of the tag, and else the language", () => {
    expect(has("шš", "sr")).toEqual([true, false]);
    expect(has("шš", "sr-Latn")).toEqual([false, true]);
    expect(has("国國", "zh-CN")).toEqual([true, false]);
    expect(has("国國", "zh-TW")).toEqual([false, true]);
    expect(lettersOf(["pt-BR"])).toEqual(lettersOf(["pt"]));
  });

  test.each(["xx", "", "german", "../de", "de_DE", "deu/../de", "en-Cyrl"])("of %j are not known", (tag) => {
    expect(isKnownLanguage(tag)).toBe(false);
    expect(() => lettersOf(["de", tag])).toThrow(expect.objectContaining({ code: "USAGE" }));
  });

  test("come from one version of the lists", () => {
    expect(exemplarVersion()).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
