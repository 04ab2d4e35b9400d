// BM25 over a corpus of any size: the queries wait in memory and the passages stream by, twice.
// When to use which: dataset/bm25.ts holds every posting of the collection and answers any later query at once: right for prepare,
// whose passages are in memory anyway. Here all queries are known and the passages are not held, so memory depends on the queries
// alone. The formula, constants and word rule are those of dataset/bm25.ts; a test holds the two together.
import { B, K1 } from "../../dataset/bm25.js";
import { terms } from "../../dataset/text.js";
import type { Corpus } from "./corpus.js";
import type { Pace } from "./pace.js";
import { type RankedList, TopRanked } from "./top-ranked.js";

/** Passages between two turns for signals. */
const TURN = 2000;

/** Words of the queries, numbered, and who has them: the queries with word w are at offsets[w] to offsets[w + 1]. */
interface QueryWords {
  numbers: Map<string, number>;
  offsets: Int32Array;
  queries: Int32Array;
}

interface CorpusStatistics {
  /** Passages that hold each word. */
  frequencies: Int32Array;
  meanLength: number;
}

/**
 * The best `depth` passages of each query that share a word with it, best first; equal scores keep the order of the corpus.
 * Time grows with the postings of the queries' words, as in an index; memory with queries x depth.
 */
export async function rankByBm25(
  corpus: Corpus,
  queries: readonly string[],
  depth: number,
  pace: Pace,
): Promise<RankedList[]> {
  const words = wordsOf(queries);
  const counter = new WordCounter(words.numbers);
  pace.phase("count words of the corpus");
  const statistics = await countPassages(corpus, counter, pace);
  pace.phase("rank passages by BM25");
  const top = new TopRanked(queries.length, depth);
  const scored = new Float64Array(queries.length);
  for await (const { index, text } of corpus.passages()) {
    scorePassage(words, statistics, corpus.size, counter.count(text), scored, (query, score) =>
      top.offer(query, index, score),
    );
    if ((index + 1) % TURN === 0) await pace.tick(index + 1, corpus.size, "passages");
  }
  return queries.map((_, query) => top.ranked(query));
}

function wordsOf(queries: readonly string[]): QueryWords {
  const numbers = new Map<string, number>();
  const having: number[][] = [];
  for (const [query, text] of queries.entries())
    for (const word of new Set(terms(text))) {
      const number = numbers.get(word) ?? having.length;
      if (number === having.length) {
        numbers.set(word, number);
        having.push([]);
      }
      having[number]?.push(query);
    }
  const offsets = new Int32Array(having.length + 1);
  for (const [number, list] of having.entries()) offsets[number + 1] = (offsets[number] as number) + list.length;
  return { numbers, offsets, queries: Int32Array.from(having.flat()) };
}

interface CountedPassage {
  /** Words in all, known or not. */
  length: number;
  /** Numbers of the known words in ascending order, so that equal passages add up in the same order to the same sum. */
  words: number[];
  /** How often, by number of the word. */
  frequencies: Int32Array;
}

/** Counts the known words of one passage after another in one reused array. */
class WordCounter {
  private readonly frequencies: Int32Array;
  private words: number[] = [];

  constructor(private readonly numbers: ReadonlyMap<string, number>) {
    this.frequencies = new Int32Array(numbers.size);
  }

  count(text: string): CountedPassage {
    for (const word of this.words) this.frequencies[word] = 0;
    this.words = [];
    const all = terms(text);
    for (const word of all) {
      const number = this.numbers.get(word);
      if (number === undefined) continue;
      if (this.frequencies[number] === 0) this.words.push(number);
      this.frequencies[number] = (this.frequencies[number] as number) + 1;
    }
    this.words.sort((left, right) => left - right);
    return { length: all.length, words: this.words, frequencies: this.frequencies };
  }
}

async function countPassages(corpus: Corpus, counter: WordCounter, pace: Pace): Promise<CorpusStatistics> {
  const frequencies = counter.count("").frequencies.slice();
  let length = 0;
  for await (const { index, text } of corpus.passages()) {
    const passage = counter.count(text);
    length += passage.length;
    for (const word of passage.words) frequencies[word] = (frequencies[word] as number) + 1;
    if ((index + 1) % TURN === 0) await pace.tick(index + 1, corpus.size, "passages");
  }
  return { frequencies, meanLength: length / corpus.size };
}

/** Adds up one passage's score for every query that shares a word, hands them to `use`, and clears `scored` again. */
function scorePassage(
  { offsets, queries }: QueryWords,
  { frequencies, meanLength }: CorpusStatistics,
  total: number,
  passage: CountedPassage,
  scored: Float64Array,
  use: (query: number, score: number) => void,
): void {
  const touched: number[] = [];
  const norm = K1 * (1 - B + (B * passage.length) / meanLength);
  for (const word of passage.words) {
    const frequent = frequencies[word] as number;
    const frequency = passage.frequencies[word] as number;
    const inverse = Math.log(1 + (total - frequent + 0.5) / (frequent + 0.5));
    const share = (inverse * frequency * (K1 + 1)) / (frequency + norm);
    const end = offsets[word + 1] as number;
    for (let at = offsets[word] as number; at < end; at++) {
      const query = queries[at] as number;
      if (scored[query] === 0) touched.push(query);
      scored[query] = (scored[query] as number) + share;
    }
  }
  for (const query of touched) {
    use(query, scored[query] as number);
    scored[query] = 0;
  }
}
