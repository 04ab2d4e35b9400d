// Rules on pairs that are longer than the model takes: which, and what share of them by side and by language.
import { longestFirst } from "../../../inference/truncation.js";
import { languageOf } from "../languages.js";
import type { CheckedGroup, CheckedPassage, CheckLimits, Rule } from "../rule.js";

type Tokens = NonNullable<CheckLimits["tokens"]>;

interface CutPair {
  passage: CheckedPassage;
  /** Tokens before the cut, special ones not counted. */
  tokens: { query: number; passage: number };
  /** Which sides lose tokens. */
  cut: { query: boolean; passage: boolean };
}

export const cutByMaxLength: Rule = {
  name: "cut_by_max_length",
  severity: "note",
  about: "The pair is cut at --max-length tokens, in training as in serving. Raise it, or shorten the passage.",
  watch: (say, { tokens }) => ({
    group: (group) => {
      if (tokens === undefined) return;
      for (const { passage, tokens: of } of cutPairs(group, tokens)) {
        const { file, line, id } = passage;
        say({ file, line, path: `passage ${id}` }, `pair of ${of.query} + ${of.passage} tokens`);
      }
    },
  }),
};

export const cutShare: Rule = {
  name: "cut_share",
  severity: "note",
  about:
    "How many pairs lose tokens at --max-length. What is cut away is read by nobody: neither in training nor in serving.",
  watch: (say, { tokens }) => {
    const all = new Counts();
    const byLanguage = new Map<string, Counts>();
    return {
      group: (group) => {
        if (tokens === undefined) return;
        const lang = group.query.lang ?? languageOf(group.query.text) ?? "unknown";
        const ofLanguage = byLanguage.get(lang) ?? new Counts();
        byLanguage.set(lang, ofLanguage);
        for (const counts of [all, ofLanguage]) counts.add(group.passages.length, cutPairs(group, tokens));
      },
      end: ({ source }) => {
        if (tokens !== undefined && all.pairs > 0) say({ file: source }, sentence(all, byLanguage, tokens.max_length));
      },
    };
  },
};

class Counts {
  total = 0;
  pairs = 0;
  queries = 0;
  passages = 0;

  add(total: number, cut: readonly CutPair[]): void {
    this.total += total;
    this.pairs += cut.length;
    this.queries += cut.filter(({ cut: { query } }) => query).length;
    this.passages += cut.filter(({ cut: { passage } }) => passage).length;
  }
}

/** Languages of a single kind say nothing beyond the whole. */
function sentence(all: Counts, byLanguage: ReadonlyMap<string, Counts>, maxLength: number): string {
  const share = (cut: number, { total }: Counts) => `${((100 * cut) / total).toFixed(1)} %`;
  const sides = `${share(all.pairs, all)} of pairs cut at ${maxLength}; on the passage's side ${share(all.passages, all)}, on the query's ${share(all.queries, all)}`;
  if (byLanguage.size < 2) return sides;
  const languages = [...byLanguage].sort(([, left], [, right]) => right.total - left.total);
  return `${sides}; ${languages.map(([name, counts]) => `${name} ${share(counts.pairs, counts)}`).join(", ")}`;
}

/** Bytes that a tokenizer can turn into at most as many tokens, so that short pairs need no counting. */
const bytesOf = (text: string): number => Buffer.byteLength(text);
/** Special tokens of a pair: 4 in XLM-RoBERTa, 3 in BERT. */
const SPECIAL_TOKENS = 4;

/** Counting is slow (about 1 MB a second), and both rules ask for the same group one after the other. */
const counted = new WeakMap<CheckedGroup, CutPair[]>();

function cutPairs(group: CheckedGroup, tokens: Tokens): CutPair[] {
  const known = counted.get(group) ?? countedPairs(group, tokens);
  counted.set(group, known);
  return known;
}

function countedPairs({ query, passages }: CheckedGroup, { tokenizer, max_length }: Tokens): CutPair[] {
  const room = max_length - SPECIAL_TOKENS - bytesOf(query.text);
  const long = passages.filter(({ text }) => bytesOf(text) > room);
  if (long.length === 0) return [];
  const asked = tokenizer.tokenize(query.text);
  const empty = tokenizer.tokenize("");
  const special = tokenizer.join(empty, empty, max_length).ids.length;
  return long.flatMap((passage) => {
    const length = tokenizer.tokenize(passage.text).ids.length;
    const kept = longestFirst(asked.ids.length, length, max_length, special);
    const cut = { query: kept.query < asked.ids.length, passage: kept.passage < length };
    return cut.query || cut.passage ? [{ passage, tokens: { query: asked.ids.length, passage: length }, cut }] : [];
  });
}
