// The word sets of many texts in few bytes, and all pairs of them that are alike. Holds no text; a million queries take some 100 MB.
import { Integers } from "./integers.js";
import { terms } from "./text.js";
import { TextIndex } from "./text-index.js";

/** Guards comparisons of whole numbers with products such as 0.8 * 35 = 28.000000000000004. */
const ROUNDING = 1e-9;

/** Sets laid one after another, each sorted from the rarest word to the most frequent. */
interface SortedSets {
  words: Int32Array;
  /** Where each set begins; one more entry than sets. */
  starts: Int32Array;
  vocabularySize: number;
}

export class WordSets {
  private readonly vocabulary = new Map<string, number>();
  private readonly words = new Integers();
  private readonly starts = new Integers();

  get size(): number {
    return this.starts.length;
  }

  /** @returns the 0-based number of the text. One without any word stands for itself alone. */
  add(text: string): number {
    this.starts.push(this.words.length);
    const words = new Set(terms(text));
    if (words.size === 0) words.add(`\u0000${text.trim()}`);
    for (const word of words) this.words.push(this.numberOf(word));
    return this.starts.length - 1;
  }

  /**
   * Calls `found` for pairs of texts whose word sets have a Jaccard similarity of at least `similarity`: enough pairs to
   * join all that are alike (of equal sets, each is paired with the first).
   *
   * Prefix filtering (Bayardo, Ma and Srikant, WWW 2007) with the positional filter of PPJoin (Xiao et al., WWW 2008): two
   * alike sets share a word among their rarest |set| - ceil(similarity * |set|) + 1, and after the first word that they share
   * enough words are left on both sides.
   */
  eachSimilar(similarity: number, found: (earlier: number, later: number) => void): void {
    const sets = this.sorted();
    const index = new PrefixIndex(sets, similarity);
    const equal = new TextIndex();
    const firstOfEqual: number[] = [];
    for (let set = 0; set < this.size; set++) {
      const same = equal.add(wordsOf(sets, set).join());
      const first = firstOfEqual[same];
      if (first !== undefined) {
        found(first, set);
        continue;
      }
      firstOfEqual.push(set);
      index.eachMatch(set, (other) => found(other, set));
      index.add(set);
    }
  }

  private numberOf(word: string): number {
    const known = this.vocabulary.get(word);
    if (known !== undefined) return known;
    // A word cut out of a text keeps the whole text alive; its bytes, read again, do not.
    this.vocabulary.set(Buffer.from(word).toString(), this.vocabulary.size);
    return this.vocabulary.size - 1;
  }

  private sorted(): SortedSets {
    const words = this.words.toArray();
    const frequency = new Int32Array(this.vocabulary.size);
    for (const word of words) frequency[word] = (frequency[word] as number) + 1;
    const byRarity = Int32Array.from(frequency.keys()).sort(
      (left, right) => (frequency[left] as number) - (frequency[right] as number) || left - right,
    );
    const rank = new Int32Array(byRarity.length);
    byRarity.forEach((word, at) => {
      rank[word] = at;
    });
    const starts = new Int32Array(this.size + 1).fill(words.length);
    starts.set(this.starts.toArray());
    for (let at = 0; at < words.length; at++) words[at] = rank[words[at] as number] as number;
    const sets = { words, starts, vocabularySize: rank.length };
    for (let set = 0; set + 1 < starts.length; set++) wordsOf(sets, set).sort();
    return sets;
  }
}

function wordsOf({ words, starts }: SortedSets, set: number): Int32Array {
  return words.subarray(starts[set], starts[set + 1]);
}

const NONE = -1;

/** Lists, by word, the sets that have it in their prefix, newest first. */
class PrefixIndex {
  /** Newest entry of each word, and for each entry the one before, the set and the word's place in `words`. */
  private readonly newest: Int32Array;
  private readonly older: Int32Array;
  private readonly owner: Int32Array;
  private readonly places: Int32Array;
  private entries = 0;
  private readonly lastSeenBy: Int32Array;

  constructor(
    private readonly sets: SortedSets,
    private readonly similarity: number,
  ) {
    const count = sets.starts.length - 1;
    let total = 0;
    for (let set = 0; set < count; set++) total += this.prefixLength(set);
    this.newest = new Int32Array(sets.vocabularySize).fill(NONE);
    this.older = new Int32Array(total);
    this.owner = new Int32Array(total);
    this.places = new Int32Array(total);
    this.lastSeenBy = new Int32Array(count).fill(NONE);
  }

  add(set: number): void {
    const start = this.startOf(set);
    for (let place = start; place < start + this.prefixLength(set); place++) {
      const word = this.sets.words[place] as number;
      const entry = this.entries++;
      this.older[entry] = this.newest[word] as number;
      this.owner[entry] = set;
      this.places[entry] = place;
      this.newest[word] = entry;
    }
  }

  /** Calls `found` for every added set that is alike. */
  eachMatch(set: number, found: (other: number) => void): void {
    const start = this.startOf(set);
    for (let at = start; at < start + this.prefixLength(set); at++) {
      let entry = this.newest[this.sets.words[at] as number] as number;
      for (; entry !== NONE; entry = this.older[entry] as number) {
        const other = this.owner[entry] as number;
        if (this.lastSeenBy[other] === set) continue;
        // The first word that two sets share decides: all others that they share come after it on both sides.
        this.lastSeenBy[other] = set;
        if (this.areAlike(set, at, other, this.places[entry] as number)) found(other);
      }
    }
  }

  /** @param at place of the first common word in `set`; @param place the same in `other`. */
  private areAlike(set: number, at: number, other: number, place: number): boolean {
    const { words } = this.sets;
    const [end, otherEnd] = [this.startOf(set + 1), this.startOf(other + 1)];
    const total = end - this.startOf(set) + otherEnd - this.startOf(other);
    const needed = Math.ceil((this.similarity / (1 + this.similarity)) * total - ROUNDING);
    let common = 0;
    let [left, right] = [at, place];
    while (left < end && right < otherEnd && common + Math.min(end - left, otherEnd - right) >= needed) {
      const [a, b] = [words[left] as number, words[right] as number];
      if (a === b) common += 1;
      if (a <= b) left += 1;
      if (b <= a) right += 1;
    }
    return common >= needed;
  }

  private prefixLength(set: number): number {
    const length = this.startOf(set + 1) - this.startOf(set);
    return length - Math.ceil(this.similarity * length - ROUNDING) + 1;
  }

  private startOf(set: number): number {
    return this.sets.starts[set] as number;
  }
}
