// Options and inputs of `export` → its Python job. Pure.
import { join } from "node:path";
import type { StageJob } from "../../worker/stage-job.js";
import type { ExportStageOptions } from "./schema.js";

/** @param trained folder of the train artifact. */
export function exportJob(options: ExportStageOptions, trained: string): StageJob {
  return { kind: "export", inputs: { model: join(trained, "model") }, options: { ...options } };
}
