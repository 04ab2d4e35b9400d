// A whole Unigram (XLM-RoBERTa and its kin) or WordPiece (BERT) tokenizer from its tokenizer.json: text to token ids, as Rust makes them.
import { type AddedToken, AddedTokens } from "./added-tokens.js";
import { type Normalize, readNormalizer } from "./normalizers.js";
import { type PreTokenize, readPreTokenizer } from "./pre-tokenizers.js";
import { Unigram, type UnigramVocabulary } from "./unigram.js";
import { WordPiece, type WordPieceVocabulary } from "./word-piece.js";

export interface TokenizerJson {
  normalizer?: unknown;
  pre_tokenizer?: unknown;
  post_processor?: unknown;
  model: { type?: string } & Record<string, unknown>;
  added_tokens?: AddedToken[];
}

interface Model {
  /** Appends the ids of a word. */
  encode(word: string, ids: number[]): void;
  /** Appends the ids of all pieces that decide how a word is cut, where these are more than the word's own. */
  touch?(word: string, ids: number[]): void;
}

export class ExactTokenizer {
  private constructor(
    private readonly normalize: Normalize,
    private readonly preTokenize: PreTokenize,
    private readonly model: Model,
    private readonly before: AddedTokens,
    private readonly behind: AddedTokens,
  ) {}

  /** @returns undefined when the file holds another model, or a step that is not understood here. */
  static from(json: TokenizerJson): ExactTokenizer | undefined {
    if (json.model.type !== "Unigram" && json.model.type !== "WordPiece") return undefined;
    const normalize = readNormalizer(json.normalizer);
    const preTokenize = readPreTokenizer(json.pre_tokenizer);
    if (normalize === undefined || preTokenize === undefined) return undefined;
    const tokens = json.added_tokens ?? [];
    const behind = tokens.filter(({ normalized }) => normalized);
    return new ExactTokenizer(
      normalize,
      preTokenize,
      readModel(json.model),
      new AddedTokens(tokens.filter(({ normalized }) => !normalized)),
      new AddedTokens(
        behind,
        behind.map(({ content }) => normalize(content)),
      ),
    );
  }

  /**
   * Ids without special tokens.
   * @param limit stop behind the word that brings the count to this many tokens, where Rust stops reading a text that is too
   * long; an added token counts, but never stops it.
   */
  encode(text: string, limit = Number.POSITIVE_INFINITY): number[] {
    return this.idsOf(text, (word, ids) => {
      this.model.encode(word, ids);
      return ids.length < limit;
    });
  }

  /** A text as the model's pieces are spelled: what a lower-casing or composing tokenizer makes of it. */
  normalized(text: string): string {
    return this.normalize(text.toWellFormed());
  }

  /** Adds the ids of all pieces without which a text could be cut otherwise. */
  touch(text: string, used: Set<number>): void {
    const touched = this.idsOf(text, (word, ids) => {
      this.model.encode(word, ids);
      this.model.touch?.(word, ids);
      return true;
    });
    for (const id of touched) used.add(id);
  }

  /** Ids of added tokens, and between them what `addWord` appends, until it says false. */
  private idsOf(text: string, addWord: (word: string, ids: number[]) => boolean): number[] {
    const ids: number[] = [];
    let atStart = true;
    for (const section of this.sections(text.toWellFormed())) {
      if ("id" in section) ids.push(section.id);
      else for (const word of this.preTokenize(section.text, atStart)) if (!addWord(word, ids)) return ids;
      atStart = false;
    }
    return ids;
  }

  private *sections(text: string) {
    for (const section of this.before.cut(text)) {
      if ("id" in section) yield section;
      else yield* this.behind.cut(this.normalize(section.text));
    }
  }
}

function readModel(model: TokenizerJson["model"]): Model {
  return model.type === "Unigram"
    ? new Unigram(model as unknown as UnigramVocabulary)
    : new WordPiece(model as unknown as WordPieceVocabulary);
}
