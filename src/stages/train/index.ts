// The stage train: fine-tunes the base in the Python worker and keeps the best checkpoint as a plain model folder.
import { rm } from "node:fs/promises";
import type { Stage, StageContext, StageInputs } from "../../pipeline/stage.js";
import { readTrimReport } from "../../trim/index.js";
import { runStageJob } from "../../worker/stage-job.js";
import { guardSets, trainJob } from "./job.js";
import { gain, keptWeights, outputSchema, type TrainOutput } from "./output.js";
import type { TrainOptions } from "./schema.js";
import { corpusSources, trimmedBase, trimOptions } from "./trimmed-base.js";

export const train: Stage<TrainOptions, TrainOutput, "prepare"> = {
  name: "train",
  version: 2,
  needs: ["prepare"],
  options: ({ train: section, trim, base_dir, base_identity }) => ({
    ...section,
    base_dir,
    base_identity,
    ...trimOptions(trim),
  }),
  sources: ({ base_dir, trim }) => [{ name: "base_model", path: base_dir }, ...corpusSources(trim)],
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
  const guards = await guardSets(dataset);
  const trimmed = await trimmedBase(context, options, dataset, guards);
  const output = await runStageJob(context, trainJob(options, dataset, guards, trimmed?.dir), outputSchema);
  // The tuned model holds all of it that stays; its size twice in every artifact would be for nothing.
  if (trimmed !== undefined) await rm(trimmed.dir, { recursive: true, force: true });
  context.emit({ type: "note", message: `${gain(output)} ${keptWeights(output)}` });
  // A base that `rerank-tune trim` made says so itself.
  const trim = trimmed?.report ?? (await readTrimReport(options.base_dir));
  return { ...output, ...(trim === undefined ? {} : { trim }) };
}
