// The choice between ONNX Runtime and the Python worker.
import type { EvaluationGroup } from "./groups.js";
import type { EvaluatedModel } from "./model.js";
import { scoreWithOnnx } from "./onnx-scores.js";
import type { ModelScores, ScoringContext } from "./scores.js";
import { scoreWithWorker } from "./worker-scores.js";

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
