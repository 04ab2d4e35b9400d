// How far the Rust library reads into a text that is too long, for the tokenizers of the JavaScript library. Counts; makes no ids.
import type { Tokenizer } from "@huggingface/tokenizers";
import { AddedTokens, type Section } from "../tokenization/added-tokens.js";

/**
 * Tokens up to the end of the word that reaches `limit`, which is where tokenizers 0.23 stops; all of them in a shorter text.
 * An added token counts, but the library does not stop at one: six of them are read whatever the limit.
 * test/fixtures/byte-level-tokenizer.json holds pairs recorded from Rust; 4,000 random pairs full of added tokens agreed.
 */
export function tokensReader(tokenizer: Tokenizer): (text: string, limit: number) => number {
  const cut = sectionsOf(tokenizer);
  return (text, limit) => {
    let count = 0;
    for (const section of cut(text)) {
      if ("id" in section) {
        count += 1;
        continue;
      }
      for (const length of wordLengths(tokenizer, section.text)) {
        count += length;
        if (count >= limit) return count;
      }
    }
    return count;
  };
}

function* wordLengths({ pre_tokenizer: splitter, model }: Tokenizer, text: string): Generator<number> {
  const words = splitter === null ? [text] : splitter(text, { section_index: 0 });
  // The JavaScript Metaspace leaves a text in one piece where Rust splits it before each ▁.
  for (const word of words.flatMap((piece: string) => piece.split(/(?=▁)/)))
    yield model === null ? 0 : model([word]).length;
}

/** Added tokens are found before the normalizer or behind it, as tokenizer.json says; ModernBERT has runs of spaces among the latter. */
function sectionsOf(tokenizer: Tokenizer): (text: string) => Section[] {
  const tokens = [...tokenizer.get_added_tokens_decoder().values()];
  const before = new AddedTokens(tokens.filter((token) => !token.normalized));
  const behind = new AddedTokens(tokens.filter((token) => token.normalized));
  const { normalizer } = tokenizer;
  const normalize = (text: string) => (normalizer === null ? text : normalizer(text));
  return (text) =>
    before.cut(text).flatMap((section) => ("id" in section ? [section] : behind.cut(normalize(section.text))));
}
