// One text to token ids, special tokens aside: by our own steps where each is exactly Rust's, else by the JavaScript library.
import { Tokenizer } from "@huggingface/tokenizers";
import { ExactTokenizer, type TokenizerJson } from "../tokenization/exact-tokenizer.js";
import { tokensReader } from "./tokens-read.js";

export interface TextIds {
  /** @param limit reading may stop behind the word that brings the count to this many tokens. */
  encode(text: string, limit?: number): number[];
  /** Tokens up to the end of the word that reaches `limit`, where Rust stops reading; all of them in a shorter text. */
  tokensRead(text: string, limit: number): number;
  /** False where the library has to approximate a `Precompiled` character map (decision 3). */
  exactNormalizer: boolean;
}

/** @throws Error for a tokenizer.json that neither of the two understands. */
export function readTextIds(json: TokenizerJson): TextIds {
  const ours = ExactTokenizer.from(json);
  if (ours !== undefined)
    return {
      encode: (text, limit) => ours.encode(text, limit),
      tokensRead: (text, limit) => ours.encode(text, limit).length,
      exactNormalizer: true,
    };
  const library = new Tokenizer(json, {});
  return {
    encode: (text) => (text === "" ? [] : library.encode(text, { add_special_tokens: false }).ids),
    tokensRead: tokensReader(library),
    exactNormalizer: !JSON.stringify(json.normalizer ?? null).includes('"type":"Precompiled"'),
  };
}
