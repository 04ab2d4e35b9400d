// Measures how long pairs are in tokens and how many will be cut, by side and by language. Counts only; no text leaves it.
import type { Group } from "../../dataset/groups.js";
import { CutCounts, type CutReport, cutSides, describeCut } from "../../inference/cut-share.js";
import { type Draw, shuffled } from "../../ranking/draws.js";

export interface TokenCounter {
  /** Tokens of a text, special ones not counted. */
  count(text: string): number;
  /** Special tokens of a pair. */
  special: number;
}

export interface LengthReport {
  pairs: number;
  max_length: number;
  /** Shares of pairs that lose tokens at `max_length`. */
  cut: CutReport;
  percentiles: { p50: number; p90: number; p95: number; p99: number; max: number };
  /** Pairs by length; `to` is inclusive. */
  histogram: { from: number; to: number; pairs: number }[];
}

/** Enough for a share within about 2 points (95 %); reading all would cost minutes on long passages. */
const SAMPLED_PAIRS = 2000;
/** The JavaScript tokenizer reads about 1 MB a second. */
const SAMPLED_CHARACTERS = 3_000_000;

/** @returns undefined for no groups. */
export function measureLengths(
  groups: readonly Group[],
  { count, special }: TokenCounter,
  maxLength: number,
  draw: Draw,
): LengthReport | undefined {
  const pairs = groups.flatMap((group) =>
    group.passages.map((passage) => ({ query: group.query, passage: passage.text, lang: group.lang })),
  );
  const lengths: number[] = [];
  const counts = new CutCounts();
  let characters = 0;
  for (const { query, passage, lang } of shuffled(pairs, draw).slice(0, SAMPLED_PAIRS)) {
    if (characters > SAMPLED_CHARACTERS) break;
    characters += query.length + passage.length;
    const tokens = { query: count(query), passage: count(passage) };
    lengths.push(tokens.query + tokens.passage + special);
    counts.add({ text: query, lang }, [cutSides(tokens, maxLength, special)]);
  }
  lengths.sort((left, right) => left - right);
  if (lengths.length === 0) return undefined;
  const at = (share: number): number =>
    lengths[Math.min(lengths.length - 1, Math.ceil(share * lengths.length) - 1)] as number;
  return {
    pairs: lengths.length,
    max_length: maxLength,
    cut: counts.report(),
    percentiles: { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), max: at(1) },
    histogram: histogram(lengths),
  };
}

/** Doubling bins from 16 tokens up: lengths of texts spread over orders of magnitude. */
function histogram(sorted: readonly number[]): LengthReport["histogram"] {
  const bins: LengthReport["histogram"] = [];
  const longest = sorted.at(-1) ?? 0;
  for (let from = 0, to = 16; from <= longest; from = to + 1, to *= 2)
    bins.push({ from, to, pairs: sorted.filter((length) => length >= from && length <= to).length });
  return bins;
}

/** One line for people: percentiles, a bar a bin, and the share cut by side and language. */
export function describeLengths({ pairs, max_length, cut, percentiles, histogram: bins }: LengthReport): string {
  const spread = bins.map(({ to, pairs: count }) => `≤${to} ${Math.round((100 * count) / pairs)} %`).join("  ");
  return `tokens a pair (${pairs} sampled): median ${percentiles.p50}, p95 ${percentiles.p95}, max ${percentiles.max} [${spread}]; ${describeCut(cut, max_length)}`;
}
