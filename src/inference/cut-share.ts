// Which sides of a pair lose tokens at a maximal length, and what share of pairs that is by side and by language. Counts; no text leaves it.
import { languageOf } from "../dataset/languages.js";
import type { PairTokenizer } from "./tokenizer.js";
import { longestFirst } from "./truncation.js";

/** Tokens of each side before the cut, special ones not counted. */
export interface PairTokens {
  query: number;
  passage: number;
}

/** Which sides lose tokens. */
export interface CutSides {
  query: boolean;
  passage: boolean;
}

/** Shares of `pairs`; 0-1. */
export interface CutShare {
  pairs: number;
  /** Cut on one side or both. */
  either: number;
  query: number;
  passage: number;
}

export interface CutReport extends CutShare {
  /** By the query's language, that with most pairs first; `unknown` where nobody can tell. */
  languages: Record<string, CutShare>;
}

/** Special tokens of a pair. */
export function specialTokensOf(tokenizer: PairTokenizer): number {
  return tokenizer.encodePair("", "", Number.MAX_SAFE_INTEGER).ids.length;
}

/** @param maxLength tokens of the finished pair, special tokens included. */
export function cutSides({ query, passage }: PairTokens, maxLength: number, specialTokens: number): CutSides {
  const kept = longestFirst(query, passage, maxLength, specialTokens);
  return { query: kept.query < query, passage: kept.passage < passage };
}

/** Collects pairs, and says which share of them is cut. */
export class CutCounts {
  private readonly all = new Counts();
  private readonly byLanguage = new Map<string, Counts>();

  /**
   * Pairs of one query.
   * @param sides of every pair, or of those that are cut when `pairs` says how many there are.
   */
  add(query: { text: string; lang?: string | undefined }, sides: readonly CutSides[], pairs = sides.length): void {
    const language = query.lang ?? languageOf(query.text) ?? "unknown";
    const ofLanguage = this.byLanguage.get(language) ?? new Counts();
    this.byLanguage.set(language, ofLanguage);
    for (const counts of [this.all, ofLanguage]) counts.add(sides, pairs);
  }

  report(): CutReport {
    const languages = [...this.byLanguage].sort(([, left], [, right]) => right.pairs - left.pairs);
    return {
      ...this.all.share(),
      languages: Object.fromEntries(languages.map(([language, counts]) => [language, counts.share()])),
    };
  }
}

class Counts {
  pairs = 0;
  private either = 0;
  private queries = 0;
  private passages = 0;

  add(sides: readonly CutSides[], pairs: number): void {
    this.pairs += pairs;
    this.either += sides.filter(({ query, passage }) => query || passage).length;
    this.queries += sides.filter(({ query }) => query).length;
    this.passages += sides.filter(({ passage }) => passage).length;
  }

  share(): CutShare {
    const of = (count: number) => (this.pairs === 0 ? 0 : count / this.pairs);
    return { pairs: this.pairs, either: of(this.either), query: of(this.queries), passage: of(this.passages) };
  }
}

/** One sentence without a stop. Languages of a single kind say nothing beyond the whole. */
export function describeCut({ either, query, passage, languages }: CutReport, maxLength: number): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const whole = `${percent(either)} of pairs cut at ${maxLength}`;
  if (either === 0) return whole;
  const sides = `${whole}; on the passage's side ${percent(passage)}, on the query's ${percent(query)}`;
  const named = Object.entries(languages);
  if (named.length < 2) return sides;
  return `${sides}; ${named.map(([language, of]) => `${language} ${percent(of.either)}`).join(", ")}`;
}
