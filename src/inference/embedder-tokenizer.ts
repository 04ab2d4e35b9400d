// Single texts to token ids for an embedding model, from its tokenizer.json, cut on the right. Pairs are tokenizer.ts's affair.
import type { Tokenizer } from "@huggingface/tokenizers";
import type { EncodedPair } from "./tokenizer.js";

/** Encodes texts as the Rust library does with truncation on the right: the special tokens at both ends stay. */
export class TextTokenizer {
  /** Special tokens behind the text. */
  private readonly behind: number;

  constructor(
    private readonly tokenizer: Tokenizer,
    /** Id that fills a row up; the attention mask hides it. */
    readonly padId: number,
    /** Tokens of a text, special tokens included. */
    private readonly maxLength: number,
  ) {
    const bare: readonly number[] = tokenizer.encode("a", { add_special_tokens: false }).ids;
    const whole: readonly number[] = tokenizer.encode("a").ids;
    const before = whole.findIndex((_, at) => bare.every((id, offset) => whole[at + offset] === id));
    this.behind = whole.length - bare.length - Math.max(0, before);
  }

  encode(text: string): EncodedPair {
    const ids: number[] = this.tokenizer.encode(text).ids;
    const truncated = ids.length > this.maxLength;
    const kept = truncated
      ? [...ids.slice(0, this.maxLength - this.behind), ...ids.slice(ids.length - this.behind)]
      : ids;
    return { ids: kept, typeIds: new Array<number>(kept.length).fill(0), truncated };
  }
}
