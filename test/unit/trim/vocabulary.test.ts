import { describe, expect, test } from "vitest";
import { drawsFor } from "../../../src/ranking/draws.js";
import { ExactTokenizer, type TokenizerJson } from "../../../src/tokenization/exact-tokenizer.js";
import { lettersOf } from "../../../src/trim/alphabet.js";
import { pieceCount } from "../../../src/trim/open-tokenizer.js";
import { trimVocabulary, type VocabularyOptions } from "../../../src/trim/vocabulary.js";
import { tokenizerOf } from "../../helpers/trimmable-model.js";

const trim = (json: TokenizerJson, options: Partial<VocabularyOptions>) =>
  trimVocabulary(json, "model", {
    languages: [],
    keep: "used",
    signal: new AbortController().signal,
    emit: () => undefined,
    ...options,
  });

/** "ab" is one piece behind the word's start: cheaper than a and b. */
const SMALL = {
  pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always" },
  model: {
    type: "Unigram",
    unk_id: 0,
    vocab: [
      ["<unk>", 0],
      ["▁", -1],
      ["a", -2],
      ["b", -2],
      ["ab", -3],
      ["x", -2],
      ["worst", -90],
    ],
  },
} as TokenizerJson;

describe("texts that the vocabulary was not cut to", () => {
  test("are counted where they are cut otherwise, with their tokens and new unknowns", async () => {
    // a: ▁ a, as before. ab: ▁ ab becomes ▁ a b. x: ▁ x becomes ▁ <unk>.
    const { unseen, kept } = await trim(SMALL, { corpus: () => ["a b"], check: () => ["a", "ab", "x"] });
    expect(kept).toEqual([0, 1, 2, 3, 6]);
    expect(unseen).toEqual({ texts: 3, cut_otherwise: 2, tokens: { before: 6, after: 7 }, more_unknown: 1 });
  });

  test("are those of the held-out texts that the corpus lacks, measured without their pieces, which stay", async () => {
    const heldOut = () => ["ab", "a b", "ab"];
    const { unseen, kept, texts, tokens } = await trim(SMALL, { corpus: () => ["a b"], heldOut });
    expect(kept).toContain(4);
    expect(unseen).toEqual({ texts: 1, cut_otherwise: 1, tokens: { before: 2, after: 3 }, more_unknown: 0 });
    // a b: ▁ a ▁ b, twice; ab: ▁ ab, twice.
    expect([texts, tokens]).toEqual([4, 12]);
  });

  test("are none where none are given", async () => {
    expect((await trim(SMALL, { corpus: () => ["a"] })).unseen).toBeNull();
    expect((await trim(SMALL, { corpus: () => ["a"], heldOut: () => ["a"] })).unseen?.texts).toBe(0);
  });
});

describe.each(["xlm-roberta", "bert"])("languages, with a %s tokenizer", (kind) => {
  const json = tokenizerOf(kind);
  const before = ExactTokenizer.from(json) as ExactTokenizer;

  /** Whether a text's ids stand for the old ones. */
  async function trimmedTo(...languages: string[]) {
    const { json: trimmed, kept } = await trim(json, { languages });
    const after = ExactTokenizer.from(trimmed) as ExactTokenizer;
    const isSame = (text: string) =>
      JSON.stringify(after.encode(text).map((id) => kept[id])) === JSON.stringify(before.encode(text));
    return { isSame, kept };
  }

  test("keep every text of their letters cut as before, though none was read", async () => {
    const { isSame } = await trimmedTo("de", "fr");
    const characters = [...lettersOf(["de", "fr"]), ..."    0123456789.,;:!?()%-–«»€"];
    const draw = drawsFor(7, "texts");
    const random = () => Array.from({ length: 40 }, () => characters[draw(characters.length)]).join("");
    const texts = ["Die Kündigung bedarf der Schriftform; Übermittlung genügt nicht, 15 %.", "congé payé"];
    for (let index = 0; index < 300; index++) texts.push(random());
    expect(texts.filter((text) => !isSame(text))).toEqual([]);
  });

  test("let go of what others are written with", async () => {
    const { isSame, kept } = await trimmedTo("en");
    expect(kept.length).toBeLessThan(pieceCount(json));
    expect(isSame("Пользователь может изменить пароль")).toBe(false);
    const both = await trimmedTo("en", "ru");
    expect(both.isSame("Пользователь может изменить пароль")).toBe(true);
    expect(both.kept.length).toBeGreaterThan(kept.length);
  });

  test("need no corpus; without both there is nothing to cut to", async () => {
    expect((await trim(json, { languages: ["en"] })).texts).toBe(0);
    await expect(trim(json, {})).rejects.toMatchObject({ code: "DATA_INVALID" });
    await expect(trim(json, { languages: ["xx"] })).rejects.toMatchObject({ code: "USAGE" });
  });
});
