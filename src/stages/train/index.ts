// The stage train: fine-tunes the base in the Python worker and keeps the best checkpoint as a plain model folder.
import type { Stage, StageContext, StageInputs } from "../../pipeline/stage.js";
import { runStageJob } from "../../worker/stage-job.js";
import { guardSets, trainJob } from "./job.js";
import { gain, keptWeights, outputSchema, type TrainOutput } from "./output.js";
import type { TrainOptions } from "./schema.js";

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
  const output = await runStageJob(context, trainJob(options, dataset, await guardSets(dataset)), outputSchema);
  context.emit({ type: "note", message: `${gain(output)} ${keptWeights(output)}` });
  return output;
}
