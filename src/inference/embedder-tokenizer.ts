// Single texts to token ids for an embedding model, from its tokenizer.json, cut on the right. Pairs are tokenizer.ts's affair.
import { specialTokenCount, type TemplatePart } from "./template.js";
import type { TextIds } from "./text-ids.js";
import type { EncodedPair } from "./tokenizer.js";

/** Encodes texts as the Rust library does with truncation on the right: the special tokens at both ends stay. */
export class TextTokenizer {
  private readonly room: number;

  constructor(
    private readonly textIds: TextIds,
    private readonly template: readonly TemplatePart[],
    /** Id that fills a row up; the attention mask hides it. */
    readonly padId: number,
    /** Tokens of a text, special tokens included. */
    maxLength: number,
  ) {
    this.room = maxLength - specialTokenCount(template);
  }

  encode(text: string): EncodedPair {
    const ids = this.textIds.encode(text, this.room + 1);
    const kept = ids.slice(0, this.room);
    const whole = this.template.flatMap((part) => ("ids" in part ? part.ids : kept));
    return { ids: whole, typeIds: new Array<number>(whole.length).fill(0), truncated: kept.length < ids.length };
  }
}
