// Rules on pairs that are longer than the model takes: which, and what share of them by side and by language.
import { CutCounts, type CutSides, cutSides, describeCut, specialTokensOf } from "../../../inference/cut-share.js";
import type { CheckedGroup, CheckedPassage, CheckLimits, Rule } from "../rule.js";

type Tokens = NonNullable<CheckLimits["tokens"]>;

interface CutPair {
  passage: CheckedPassage;
  /** Tokens before the cut, special ones not counted. */
  tokens: { query: number; passage: number };
  cut: CutSides;
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
    const counts = new CutCounts();
    return {
      group: (group) => {
        if (tokens === undefined) return;
        const cut = cutPairs(group, tokens).map((pair) => pair.cut);
        counts.add(group.query, cut, group.passages.length);
      },
      end: ({ source }) => {
        const report = counts.report();
        if (tokens !== undefined && report.either > 0) say({ file: source }, describeCut(report, tokens.max_length));
      },
    };
  },
};

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
  const special = specialTokensOf(tokenizer);
  return long.flatMap((passage) => {
    const of = { query: asked.ids.length, passage: tokenizer.tokenize(passage.text).ids.length };
    const cut = cutSides(of, max_length, special);
    return cut.query || cut.passage ? [{ passage, tokens: of, cut }] : [];
  });
}
