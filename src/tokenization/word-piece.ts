// The WordPiece model: the longest piece first, as tokenizers 0.23 does (`models/wordpiece/mod.rs`).
import { PieceTrie } from "./piece-trie.js";

export interface WordPieceVocabulary {
  vocab: Readonly<Record<string, number>>;
  unk_token: string;
  continuing_subword_prefix?: string;
  /** A longer word is unknown as a whole; code points. */
  max_input_chars_per_word?: number;
}

export class WordPiece {
  private readonly trie: PieceTrie;
  private readonly prefixNode: number;
  private readonly unknownId: number;
  private readonly longestWord: number;

  /** @throws Error when the vocabulary lacks its unknown token. */
  constructor({ vocab, unk_token, continuing_subword_prefix, max_input_chars_per_word }: WordPieceVocabulary) {
    this.trie = new PieceTrie(Object.entries(vocab));
    this.prefixNode = this.trie.nodeOf(continuing_subword_prefix ?? "##");
    this.unknownId = vocab[unk_token] ?? -1;
    if (this.unknownId < 0) throw new Error(`the vocabulary lacks its unknown token ${JSON.stringify(unk_token)}`);
    this.longestWord = max_input_chars_per_word ?? 100;
  }

  /** Appends the ids of a word; a word that cannot be cut into pieces is unknown as a whole. */
  encode(word: string, ids: number[]): void {
    const first = ids.length;
    if (!this.isTooLong(word) && this.cut(word, ids)) return;
    ids.length = first;
    ids.push(this.unknownId);
  }

  /** A word that ends as unknown depends on the pieces it took until it failed: with a shorter one it could have gone on. */
  touch(word: string, ids: number[]): void {
    if (!this.isTooLong(word)) this.cut(word, ids);
  }

  private cut(word: string, ids: number[]): boolean {
    for (let start = 0; start < word.length; ) {
      let node = start === 0 ? 0 : this.prefixNode;
      // Nothing goes on from a prefix that no piece has.
      if (start > 0 && node === 0) return false;
      let end = -1;
      let id = -1;
      for (let next = start; next < word.length; ) {
        node = this.trie.child(node, word.charCodeAt(next++));
        if (node === 0) break;
        const found = this.trie.idAt(node);
        if (found >= 0) {
          end = next;
          id = found;
        }
      }
      if (end < 0) return false;
      ids.push(id);
      start = end;
    }
    return true;
  }

  private isTooLong(word: string): boolean {
    return word.length > this.longestWord && Array.from(word).length > this.longestWord;
  }
}
