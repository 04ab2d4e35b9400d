// Options and inputs of `quantize` → its Python job. Pure.
import { join } from "node:path";
import { groupsFile } from "../../dataset/groups.js";
import type { StageJob } from "../../worker/stage-job.js";
import type { QuantizeStageOptions } from "./schema.js";

/** Folders of the artifacts that the job reads. */
export interface QuantizeFolders {
  prepare: string;
  train: string;
  export: string;
}

export function quantizeJob(options: QuantizeStageOptions, folders: QuantizeFolders): StageJob {
  return {
    kind: "quantize",
    inputs: {
      onnx: join(folders.export, "onnx", "model.onnx"),
      model: join(folders.train, "model"),
      calibration: join(folders.prepare, groupsFile("train")),
    },
    options: { ...options },
  };
}
