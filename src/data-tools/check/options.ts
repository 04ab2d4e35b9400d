// What `data check` is asked for, and what it answers.
import type { DataFormat } from "../../dataset/forms.js";
import type { Finding } from "./report.js";
import type { Severity } from "./rule.js";

export interface CheckOptions {
  /** File or folder, absolute. */
  source: string;
  format: DataFormat | "auto";
  /** Base scores; the rules on scores are silent without them. */
  scores?: string;
  /** TREC run whose unjudged passages count as mined negatives. */
  run?: string;
  /** Where the cleaned copy goes; the rows left out go to `<clean>.left-out.jsonl`. */
  clean?: string;
  /** Model folder with a tokenizer.json, and the tokens of a pair. */
  tokens?: { model: string; max_length: number };
  /** Existing folder for what does not fit in memory. */
  scratch: string;
  signal: AbortSignal;
  emit(
    event: { type: "phase"; name: string } | { type: "progress"; completed: number; total: number; unit: string },
  ): void;
}

export interface CheckResult {
  source: string;
  form: string;
  queries: number;
  pairs: number;
  /** Distinct pairs that have a base score; null without a score file. */
  scored_pairs: number | null;
  severities: Record<Severity, number>;
  /** Findings by rule; those that occurred only. */
  counts: Record<string, number>;
  /** At most 1,000 a rule. */
  findings: Finding[];
  /** Rows that a cleaned copy lacks. */
  left_out: number;
  clean: string | null;
  left_out_rows: string | null;
}
