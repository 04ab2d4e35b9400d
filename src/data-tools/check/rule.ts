// The shape that every rule of `data check` has. A new rule is one entry in the table of rules/index.ts.
import type { Split } from "../../dataset/groups.js";
import type { Problem } from "../../errors.js";
import type { PairTokenizer } from "../../inference/tokenizer.js";
import type { JudgedGroup } from "../reading/judged-group.js";
import type { JudgedRow, MetText } from "../reading/rows.js";

/** error: the data cannot be trusted as it is. warning: probably wrong, look at it. note: good to know. */
export type Severity = "error" | "warning" | "note";
export const SEVERITIES = ["error", "warning", "note"] as const;

export interface Place {
  file?: string;
  /** 1-based. */
  line?: number;
  /** Field or subject inside the line. */
  path?: string;
}

/**
 * Reports one finding; `message` quotes no text of the user's.
 * `left_out`: a cleaned copy lacks this row. `severity` overrides that of the rule.
 */
export type Say = (place: Place, message: string, more?: { left_out?: boolean; severity?: Severity }) => void;

/** What a reader could not take, or took otherwise than it stands. */
export interface ReaderProblem extends Problem {
  kind: "unreadable" | "empty" | "adjusted" | "unused" | "run";
}

export interface CheckedPassage extends JudgedRow {
  /** Raw logit of the base, where the score file has one. */
  score?: number;
}

/** An unjudged passage that a run retrieved: prepare would draw negatives from such. */
export interface MinedPassage {
  file: string;
  line: number;
  score?: number;
}

export interface CheckedGroup extends Omit<JudgedGroup, "passages"> {
  passages: CheckedPassage[];
  mined: MinedPassage[];
  /** Passages of this group that say nearly the same, the earlier one first. Found when first asked for. */
  alike(): readonly (readonly [CheckedPassage, CheckedPassage])[];
}

/** The data as a whole, when everything was read. */
export interface CheckedData {
  /** Path that was checked, for findings about all of it. */
  source: string;
  form: string;
  queries: number;
  pairs: number;
  /** Where the query with this number stands. */
  query(number: number): { file: string; line: number };
  splitOf(number: number): Split | undefined;
  /** For each query the number of the first of its near-duplicates, itself when it is the first. */
  firstAlike(): (number: number) => number;
  /** Equal for queries of the same words. */
  wordsOf(number: number): number;
}

/** What a rule looks at; it keeps what it must remember in its closure. */
export interface Watcher {
  problem?(problem: ReaderProblem): void;
  /** Every distinct query and passage once. */
  text?(text: MetText): void;
  group?(group: CheckedGroup): void;
  end?(data: CheckedData): void;
}

export interface CheckLimits {
  /** Tokens of a pair, and the tokenizer that counts them. */
  tokens?: { tokenizer: PairTokenizer; max_length: number };
}

export interface Rule {
  name: string;
  severity: Severity;
  /** What it means and what to do, in one or two sentences. */
  about: string;
  watch(say: Say, limits: CheckLimits): Watcher;
}

/** Where a text stands, its id named where the line is another file's. */
export function placeOf({ place, side, id }: MetText): Place {
  return { ...place, path: place.line === undefined ? `${side} ${id}` : side };
}
