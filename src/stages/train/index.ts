// The stage train: fine-tunes the base in the Python worker and keeps the best checkpoint as a plain model folder.
import { z } from "zod";
import type { Stage, StageContext, StageInputs } from "../../pipeline/stage.js";
import { runStageJob } from "../../worker/stage-job.js";
import { guardSets, trainJob } from "./job.js";
import type { TrainOptions, TrainOutput } from "./schema.js";

const outputs: z.ZodType<TrainOutput> = z.object({
  base_is_reranker: z.boolean(),
  model_type: z.string(),
  max_length: z.int(),
  parameters: z.int(),
  steps: z.int(),
  best_step: z.int(),
  dev_ndcg_at_10: z.object({ base: z.number(), best: z.number() }),
  device: z.string(),
  precision: z.string(),
  ended: z.string(),
  interpolation: z.object({ alpha: z.number(), dev_ndcg_at_10: z.number() }).nullable(),
  calibration: z.object({ a: z.number(), b: z.number() }).nullable(),
});

export const train: Stage<TrainOptions, TrainOutput, "prepare"> = {
  name: "train",
  version: 2,
  needs: ["prepare"],
  options: ({ train: section, base_dir, base_identity }) => ({ ...section, base_dir, base_identity }),
  sources: ({ base_dir }) => [{ name: "base_model", path: base_dir }],
  tools: ({ python_lock }) => ({ python_lock }),
  run: runTrain,
  resumable: true,
};

async function runTrain(
  context: StageContext,
  options: TrainOptions,
  inputs: StageInputs<"prepare">,
): Promise<TrainOutput> {
  if (context.resuming) context.emit({ type: "note", message: "found the work of an interrupted run" });
  const dataset = inputs.prepare.dir;
  const output = await runStageJob(context, trainJob(options, dataset, await guardSets(dataset)), outputs);
  const { base, best } = output.dev_ndcg_at_10;
  const gain = `dev NDCG@10 ${(100 * base).toFixed(2)} → ${(100 * best).toFixed(2)}`;
  context.emit({ type: "note", message: `${gain} at step ${output.best_step} of ${output.steps} (${output.ended})` });
  return output;
}
