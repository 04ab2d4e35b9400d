// What scoring a set of groups gives, whoever does it, and the choice between ONNX Runtime and the Python worker.
import type { StageEvent } from "../pipeline/stage.js";
import type { PythonRuntime } from "../worker/run-job.js";
import type { EvaluationGroup } from "./groups.js";
import type { EvaluatedModel } from "./model.js";
import { scoreWithOnnx } from "./onnx-scores.js";
import { scoreWithWorker } from "./worker-scores.js";

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

/** @throws RerankTuneError MODEL_*, SCORER_FAILED, RUNTIME_MISSING, WORKER_*, INTERRUPTED, TERMINATED. */
export async function scoreGroups(
  model: EvaluatedModel,
  groups: readonly EvaluationGroup[],
  context: ScoringContext,
): Promise<ModelScores> {
  const { variant } = model;
  return variant === null
    ? await scoreWithWorker(model, groups, context)
    : await scoreWithOnnx({ ...model, variant }, groups, context);
}
