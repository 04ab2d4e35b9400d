// The Unigram model: the most probable way to cut a word into pieces, as tokenizers 0.23 finds it (`models/unigram/model.rs`).
import { PieceTrie } from "./piece-trie.js";

/** An unknown character scores this much below the worst piece. */
const UNKNOWN_PENALTY = 10;

export interface UnigramVocabulary {
  /** Piece and log-probability by id. */
  vocab: readonly (readonly [string, number])[];
  unk_id: number | null;
  byte_fallback?: boolean;
}

export class Unigram {
  private readonly trie: PieceTrie;
  private readonly scores: Float64Array;
  private readonly unknownScore: number;
  private readonly unknownId: number;
  /** Ids of the 256 byte pieces, with `byte_fallback`. */
  private readonly byteIds: readonly number[] | undefined;
  /** The best path to each place of a word: its score, where its last piece starts, and that piece's id. */
  private best = new Float64Array(0);
  private from = new Int32Array(0);
  private piece = new Int32Array(0);

  constructor({ vocab, unk_id, byte_fallback }: UnigramVocabulary) {
    this.trie = new PieceTrie(vocab.map(([piece], id) => [piece, id] as const));
    this.scores = Float64Array.from(vocab, ([, score]) => score);
    this.unknownScore = this.scores.reduce((least, score) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;
    this.unknownId = unk_id ?? -1;
    if (byte_fallback === true)
      this.byteIds = Array.from({ length: 256 }, (_, byte) =>
        this.trie.idOf(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
      );
  }

  /**
   * Appends the ids of a word.
   * @throws Error for an unknown character when the vocabulary has no unknown piece.
   */
  encode(word: string, ids: number[]): void {
    this.findBestPath(word);
    const first = ids.length;
    let unknownEnd = -1;
    for (let end = word.length; end > 0; ) {
      const start = this.from[end] as number;
      const id = this.piece[end] as number;
      if (id !== this.unknownId) ids.push(id);
      else if (unknownEnd < 0) unknownEnd = end;
      // Rust fuses neighbouring unknown characters into one.
      if (unknownEnd >= 0 && (start === 0 || this.piece[start] !== this.unknownId)) {
        ids.push(...this.idsOfUnknown(word.slice(start, unknownEnd)).reverse());
        unknownEnd = -1;
      }
      end = start;
    }
    reverseFrom(ids, first);
  }

  private findBestPath(word: string): void {
    const length = word.length;
    this.makeRoom(length + 1);
    const { best, from, piece, trie, scores } = this;
    from.fill(-1, 0, length + 1);
    for (let start = 0; start < length; ) {
      const width = isPair(word, start) ? 2 : 1;
      const scoreHere = start === 0 ? 0 : (best[start] as number);
      let single = false;
      let node = 0;
      for (let end = start; end < length; ) {
        node = trie.child(node, word.charCodeAt(end++));
        if (node === 0) break;
        const id = trie.idAt(node);
        if (id < 0) continue;
        const score = scoreHere + (scores[id] as number);
        if (from[end] === -1 || score > (best[end] as number)) {
          best[end] = score;
          from[end] = start;
          piece[end] = id;
        }
        if (end - start === width) single = true;
      }
      if (!single) this.offerUnknown(start, start + width, scoreHere + this.unknownScore);
      start += width;
    }
  }

  private offerUnknown(start: number, end: number, score: number): void {
    if (this.from[end] !== -1 && score <= (this.best[end] as number)) return;
    if (this.unknownId < 0) throw new Error("a character is unknown and the vocabulary has no unknown piece");
    this.best[end] = score;
    this.from[end] = start;
    this.piece[end] = this.unknownId;
  }

  private idsOfUnknown(text: string): number[] {
    const known = this.trie.idOf(text);
    if (known >= 0) return [known];
    const bytes = this.byteIds === undefined ? [] : Array.from(Buffer.from(text), (byte) => this.byteIds?.[byte] ?? -1);
    return bytes.length > 0 && !bytes.includes(-1) ? bytes : [this.unknownId];
  }

  private makeRoom(places: number): void {
    if (this.best.length >= places) return;
    this.best = new Float64Array(2 * places);
    this.from = new Int32Array(2 * places);
    this.piece = new Int32Array(2 * places);
  }
}

/** Whether a code point of two units begins here. */
function isPair(text: string, at: number): boolean {
  return at + 1 < text.length && (text.charCodeAt(at) & 0xfc00) === 0xd800;
}

function reverseFrom(ids: number[], first: number): void {
  for (let left = first, right = ids.length - 1; left < right; left++, right--) {
    const id = ids[left] as number;
    ids[left] = ids[right] as number;
    ids[right] = id;
  }
}
