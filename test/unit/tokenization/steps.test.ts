import { describe, expect, test } from "vitest";
import { AddedTokens } from "../../../src/tokenization/added-tokens.js";
import { CharacterMap } from "../../../src/tokenization/character-map.js";
import { ExactTokenizer } from "../../../src/tokenization/exact-tokenizer.js";
import { readNormalizer } from "../../../src/tokenization/normalizers.js";
import { readPreTokenizer } from "../../../src/tokenization/pre-tokenizers.js";
import { Unigram } from "../../../src/tokenization/unigram.js";
import { WordPiece } from "../../../src/tokenization/word-piece.js";

const encode = (model: { encode(word: string, ids: number[]): void }, word: string): number[] => {
  const ids: number[] = [7];
  model.encode(word, ids);
  expect(ids.shift()).toBe(7);
  return ids;
};

describe("the Unigram model", () => {
  // The example in the documentation of the Rust model: abcd, a, cd, xx.
  const vocab = [
    ["<unk>", 0],
    ["a", 0],
    ["b", 0],
    ["c", 0],
    ["d", 0],
    ["cd", 1],
    ["ab", 2],
    ["abc", 5],
    ["abcd", 10],
  ] as const;

  test("finds the best path and makes neighbouring unknown characters one token", () => {
    expect(encode(new Unigram({ vocab, unk_id: 0 }), "abcdacdxx")).toEqual([8, 1, 5, 0]);
  });

  test("keeps unknown characters apart where a known piece stands between, and counts a surrogate pair as one", () => {
    expect(encode(new Unigram({ vocab, unk_id: 0 }), "😀xay")).toEqual([0, 1, 0]);
  });

  test("gives the bytes of unknown characters with byte_fallback, and the unknown piece where a byte is missing", () => {
    const bytes = [...vocab, ["<0xC3>", 0], ["<0xA9>", 0]] as const;
    const model = new Unigram({ vocab: bytes, unk_id: 0, byte_fallback: true });
    expect([encode(model, "aé"), encode(model, "aö")]).toEqual([
      [1, 9, 10],
      [1, 0],
    ]);
  });

  test("keeps the first of two paths with one score, as Rust does", () => {
    const equal = [
      ["<unk>", 0],
      ["a", 1],
      ["aa", 2],
    ] as const;
    expect(encode(new Unigram({ vocab: equal, unk_id: 0 }), "aa")).toEqual([2]);
  });

  test("says so when it needs an unknown piece and has none", () => {
    expect(() => encode(new Unigram({ vocab, unk_id: null }), "ax")).toThrow("no unknown piece");
  });
});

describe("the WordPiece model", () => {
  const model = new WordPiece({ vocab: { "[UNK]": 0, un: 1, "##aff": 2, "##able": 3, "##a": 4 }, unk_token: "[UNK]" });

  test("takes the longest piece first", () => {
    expect(encode(model, "unaffable")).toEqual([1, 2, 3]);
  });

  test("makes a word unknown as a whole when any part of it is", () => {
    expect([encode(model, "unaffx"), encode(model, "aff")]).toEqual([[0], [0]]);
  });

  test("makes a word of more than a hundred characters unknown; surrogate pairs count once", () => {
    const vocab = { "[UNK]": 0, "😀": 1, "##😀": 2 };
    const faces = new WordPiece({ vocab, unk_token: "[UNK]" });
    expect([encode(faces, "😀".repeat(100)).length, encode(faces, "😀".repeat(101))]).toEqual([100, [0]]);
  });

  test("needs its unknown token", () => {
    expect(() => new WordPiece({ vocab: { a: 0 }, unk_token: "[UNK]" })).toThrow("[UNK]");
  });
});

describe("added tokens", () => {
  const token = (id: number, content: string, extra = {}) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    ...extra,
  });

  test("are cut out, the longest first, with the white space they take along", () => {
    const tokens = new AddedTokens([
      token(1, "<a>"),
      token(2, "<a>b"),
      token(3, "<m>", { lstrip: true, rstrip: true }),
    ]);
    expect(tokens.cut("x<a>b <m>  y<a>")).toEqual([{ text: "x" }, { id: 2 }, { id: 3 }, { text: "y" }, { id: 1 }]);
  });

  test("that are whole words only are left inside a word", () => {
    const tokens = new AddedTokens([token(1, "art", { single_word: true })]);
    expect(tokens.cut("article art. Kunstart")).toEqual([{ text: "article " }, { id: 1 }, { text: ". Kunstart" }]);
  });

  test("leave a text alone when there are none", () => {
    expect([new AddedTokens([]).cut("a"), new AddedTokens([]).cut("")]).toEqual([[{ text: "a" }], []]);
  });
});

describe("Metaspace", () => {
  const words = (json: object, text: string, atStart = true) =>
    readPreTokenizer({ type: "Metaspace", replacement: "▁", ...json })?.(text, atStart);

  test.each([
    ["always", "a b", ["▁a", "▁b"]],
    ["always", " a", ["▁a"]],
    ["never", "a  b", ["a", "▁", "▁b"]],
  ])("with the scheme %s cuts %j", (prepend_scheme, text, expected) => {
    expect(words({ prepend_scheme }, text)).toEqual(expected);
  });

  test("with the scheme first marks only the section at the start", () => {
    expect([words({ prepend_scheme: "first" }, "a"), words({ prepend_scheme: "first" }, "a", false)]).toEqual([
      ["▁a"],
      ["a"],
    ]);
  });

  test("of older files says by add_prefix_space whether the text begins with a mark", () => {
    expect([words({ add_prefix_space: true }, "a"), words({ add_prefix_space: false }, "a")]).toEqual([["▁a"], ["a"]]);
  });

  test("without split leaves one piece, and nothing of an empty text", () => {
    expect([words({ split: false }, "a b"), words({}, "")]).toEqual([["▁a▁b"], [""]]);
  });
});

describe("a step that is not understood", () => {
  const model = { type: "Unigram", vocab: [["<unk>", 0]], unk_id: 0 };

  test("is left to the library: a normalizer, a pre-tokenizer, a model, an expression that JavaScript reads otherwise", () => {
    const replace = (Regex: string) => ({ type: "Replace", pattern: { Regex }, content: " " });
    expect([
      readNormalizer({ type: "Sequence", normalizers: [{ type: "NFC" }, { type: "Novel" }] }),
      readNormalizer(replace("\\w+")),
      readNormalizer(replace("(?i)x")),
      readPreTokenizer({ type: "Sequence", pretokenizers: [{ type: "ByteLevel" }] }),
      ExactTokenizer.from({ model: { type: "BPE" } }),
      ExactTokenizer.from({ model, normalizer: { type: "Novel" } }),
    ]).toEqual([undefined, undefined, undefined, undefined, undefined, undefined]);
  });

  test("is none of those that Unigram tokenizers have", () => {
    expect(
      readNormalizer({ type: "Replace", pattern: { Regex: "\\s+" }, content: " " })?.("a\u0085\u2003b\ufeff"),
    ).toBe("a b\ufeff");
  });
});

describe("a character map", () => {
  test("that is cut short is refused", () => {
    expect(() => new CharacterMap("AAAA")).toThrow("damaged");
    expect(() => new CharacterMap(Buffer.from([255, 255, 0, 0, 1, 2]).toString("base64"))).toThrow("damaged");
  });
});
