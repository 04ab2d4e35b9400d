// What scoring a set of groups takes and gives, whoever does it.
import type { PythonRuntime } from "../environment/python-runtime.js";
import type { StageEvent } from "../events.js";

/** Raw logits of every group's candidates, in their order. */
export interface ModelScores {
  groups: ArrayLike<number>[];
  /** From the first token to the last score; loading the model is not in it. */
  seconds: number;
  /** Pairs that fill the maximum length: nearly all of them lost text. */
  pairs_at_max_length: number;
  /** `cpu` or `cuda`. */
  device: string;
}

export interface ScoringContext {
  signal: AbortSignal;
  emit(event: StageEvent): void;
  python(): Promise<PythonRuntime>;
  /** The compiled scoring process; for tests that run the sources. */
  processFile?: string;
}
