// What `folds` takes and gives.
import type { RunFlags } from "./context.js";
import type { FoldsResult } from "./folds-verdict.js";

export interface FoldsFlags extends RunFlags {
  folds: number;
  /** Give up the split that the data brings. */
  ignoreSplit?: boolean;
}

/** The training that the folds recommend. */
export interface FinalTraining {
  /** Value for `train.epochs`. */
  epochs: number;
  /** Whether the recipe's data has a split of its own, which a run keeps. */
  keeps_split: boolean;
}

/** `data` of the command. */
export interface FoldsData extends FoldsResult {
  recipe: string;
  /** Queries that could be tested; fewer are where the recipe caps `prepare.max_queries.test`. */
  measurable: number;
  /** Null where the verdict is to keep the base. */
  final: FinalTraining | null;
}
