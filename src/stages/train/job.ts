// Options and inputs of `train` → its Python job; the only place that knows the job's argument names. Pure.
import { join } from "node:path";
import { groupsFile } from "../../dataset/groups.js";
import type { StageJob } from "../../worker/stage-job.js";
import type { TrainOptions } from "./schema.js";

/** @param dataset folder of the prepare artifact. */
export function trainJob(options: TrainOptions, dataset: string): StageJob {
  const { base_dir, base_identity: _identity, ...rest } = options;
  const file = (split: "train" | "dev" | "test"): string => join(dataset, groupsFile(split));
  return {
    kind: "train",
    inputs: { base: base_dir, train: file("train"), dev: file("dev"), test: file("test") },
    options: rest,
  };
}
