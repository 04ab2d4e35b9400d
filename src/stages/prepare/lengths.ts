// Measures how long pairs are in tokens and how many will be cut. Counts only; no text leaves it.
import type { Group } from "../../dataset/groups.js";
import { type Draw, shuffled } from "../../ranking/draws.js";

/** Tokens of a pair before it is cut, special tokens included. */
export type CountTokens = (query: string, passage: string) => number;

export interface LengthReport {
  pairs: number;
  max_length: number;
  /** Share of pairs longer than `max_length`; 0-1. */
  truncated: number;
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
  count: CountTokens,
  maxLength: number,
  draw: Draw,
): LengthReport | undefined {
  const pairs = groups.flatMap((group) =>
    group.passages.map((passage) => ({ query: group.query, passage: passage.text })),
  );
  const lengths: number[] = [];
  let characters = 0;
  for (const { query, passage } of shuffled(pairs, draw).slice(0, SAMPLED_PAIRS)) {
    if (characters > SAMPLED_CHARACTERS) break;
    characters += query.length + passage.length;
    lengths.push(count(query, passage));
  }
  lengths.sort((left, right) => left - right);
  if (lengths.length === 0) return undefined;
  const at = (share: number): number =>
    lengths[Math.min(lengths.length - 1, Math.ceil(share * lengths.length) - 1)] as number;
  return {
    pairs: lengths.length,
    max_length: maxLength,
    truncated: lengths.filter((length) => length > maxLength).length / lengths.length,
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

/** One line for people: percentiles, a bar a bin, and the share cut. */
export function describeLengths({ pairs, max_length, truncated, percentiles, histogram: bins }: LengthReport): string {
  const spread = bins.map(({ to, pairs: count }) => `≤${to} ${Math.round((100 * count) / pairs)}%`).join("  ");
  return `tokens a pair (${pairs} sampled): median ${percentiles.p50}, p95 ${percentiles.p95}, max ${percentiles.max} [${spread}]; ${(100 * truncated).toFixed(1)}% cut at ${max_length}`;
}
