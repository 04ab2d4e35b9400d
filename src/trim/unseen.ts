// How a trimmed tokenizer cuts texts that it was not trimmed on: the share cut otherwise, and what that costs in tokens.
import type { ExactTokenizer } from "../tokenization/exact-tokenizer.js";
import type { UnseenReport } from "./schema.js";

/** One tokenizer before and after, with the id of its unknown piece (-1 for none). */
export interface Trimming {
  before: ExactTokenizer;
  after: ExactTokenizer;
  /** The old id of each new one. */
  kept: readonly number[];
  unknown: { before: number; after: number };
}

/** Takes texts one by one. */
export class UnseenTexts {
  readonly report: UnseenReport = { texts: 0, cut_otherwise: 0, tokens: { before: 0, after: 0 }, more_unknown: 0 };

  constructor(private readonly trimming: Trimming) {}

  add(text: string): void {
    const { before, after, kept, unknown } = this.trimming;
    const [old, found] = [before.encode(text), after.encode(text)];
    const { report } = this;
    report.texts += 1;
    report.tokens.before += old.length;
    report.tokens.after += found.length;
    if (!sameIds(old, found, kept)) report.cut_otherwise += 1;
    if (count(found, unknown.after) > count(old, unknown.before)) report.more_unknown += 1;
  }
}

/** Whether new ids stand for the old ones, one by one. */
export function sameIds(old: readonly number[], found: readonly number[], kept: readonly number[]): boolean {
  return old.length === found.length && found.every((id, index) => kept[id] === old[index]);
}

function count(ids: readonly number[], wanted: number): number {
  return ids.reduce((sum, id) => (id === wanted ? sum + 1 : sum), 0);
}
