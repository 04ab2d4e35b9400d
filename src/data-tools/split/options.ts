// What `data split` is asked for, and what it answers.
import type { Split } from "../../dataset/groups.js";
import type { DataFormat } from "../../dataset/labelled.js";
import type { DevShare } from "../../dataset/query-split.js";

/** query: near-duplicates stay together, and rows with a common group key; group: every query must have such a key; time: the newest are tested. */
export const SPLIT_WAYS = ["query", "group", "time"] as const;
export type SplitWay = (typeof SPLIT_WAYS)[number];

export const RECOMMENDED_FOLDS = 5;

export interface SplitOptions {
  /** File or folder, absolute. */
  source: string;
  format: DataFormat | "auto";
  /** New or empty folder, absolute. */
  out: string;
  by: SplitWay;
  /** Share of queries, 0-1; with folds `test` is not used. */
  dev: DevShare;
  test: number;
  /** Number of folds; undefined for a single split. */
  folds?: number;
  time_field: string;
  seed: number;
  /** Existing folder for what does not fit in memory. */
  scratch: string;
  signal: AbortSignal;
  emit(event: SplitEvent): void;
}

export type SplitEvent =
  | { type: "phase"; name: string }
  | { type: "progress"; completed: number; total: number; unit: string }
  | { type: "warning"; message: string };

export interface SplitFile {
  /** Relative to the folder, with forward slashes. */
  path: string;
  split: Split;
  queries: number;
  pairs: number;
  sha256: string;
}

/** Also the content of split.json; holds no text and no path of the machine. */
export interface SplitResult {
  schema: 1;
  by: SplitWay;
  seed: number;
  dev: DevShare;
  test: number | null;
  folds: number | null;
  form: string;
  queries: number;
  pairs: number;
  /** Sets of queries that had to stay together; as many as queries when all are different. */
  clusters: number;
  /** Queries that stand in train alone, since no relevant passage is known for them. */
  without_positives: number;
  /** Queries that stand in train alone, since a model made them up (`source` of the query or a passage is `synthetic`). */
  made_up: number;
  left_out: { duplicates: number; contradictions: number; empty: number };
  files: SplitFile[];
}
