// How far the Rust library reads into a text that is too long. Counts tokens word by word; makes no ids.
import type { AddedToken, Tokenizer } from "@huggingface/tokenizers";

/**
 * Tokens up to the end of the word that reaches `limit`, which is where tokenizers 0.23 stops; all of them in a shorter text.
 * An added token counts, but the library does not stop at one: six of them are read whatever the limit.
 * test/fixtures/byte-level-tokenizer.json holds pairs recorded from Rust; 4,000 random pairs full of added tokens agreed.
 */
export function tokensRead(tokenizer: Tokenizer, text: string, limit: number): number {
  let count = 0;
  for (const section of sections(tokenizer, text)) {
    if (section.added) {
      count += 1;
      continue;
    }
    for (const length of wordLengths(tokenizer, section.text)) {
      count += length;
      if (count >= limit) return count;
    }
  }
  return count;
}

function* wordLengths({ pre_tokenizer: splitter, model }: Tokenizer, text: string): Generator<number> {
  const words = splitter === null ? [text] : splitter(text, { section_index: 0 });
  // The JavaScript Metaspace leaves a text in one piece where Rust splits it before each ▁.
  for (const word of words.flatMap((piece: string) => piece.split(/(?=▁)/)))
    yield model === null ? 0 : model([word]).length;
}

interface Section {
  text: string;
  added: boolean;
}

/** Added tokens are found before the normalizer or behind it, as tokenizer.json says; ModernBERT has runs of spaces among the latter. */
function sections(tokenizer: Tokenizer, text: string): Section[] {
  const tokens = [...tokenizer.get_added_tokens_decoder().values()];
  const before = tokens.filter((token) => !token.normalized);
  const behind = tokens.filter((token) => token.normalized);
  const { normalizer } = tokenizer;
  return cutAt(before, text).flatMap((section) =>
    section.added ? [section] : cutAt(behind, normalizer === null ? section.text : normalizer(section.text)),
  );
}

/** The longest token wins where several begin; empty texts are left out. */
function cutAt(tokens: readonly AddedToken[], text: string): Section[] {
  const byContent = new Map(tokens.map((token) => [token.content, token]));
  const contents = [...byContent.keys()].sort((left, right) => right.length - left.length).map(escaped);
  if (contents.length === 0) return text === "" ? [] : [{ text, added: false }];
  // A split by one capture has texts at even places and tokens at odd ones.
  const parts = text.split(new RegExp(`(${contents.join("|")})`));
  const trimmed = parts.map((part, index) => {
    if (index % 2 === 1) return part;
    const shortened = byContent.get(parts[index - 1] ?? "")?.rstrip === true ? part.trimStart() : part;
    return byContent.get(parts[index + 1] ?? "")?.lstrip === true ? shortened.trimEnd() : shortened;
  });
  return trimmed
    .map((part, index) => ({ text: part, added: index % 2 === 1 }))
    .filter((section) => section.text !== "");
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
