// What the stages with a Python job have in common: run it with records beside the artifact and believe only outputs of the right shape.
import { join } from "node:path";
import type { z } from "zod";
import { RECORDS_FOLDER } from "../artifacts/manifest.js";
import { RerankTuneError } from "../errors.js";
import type { StageContext } from "../pipeline/stage.js";
import { PROTOCOL_VERSION, type WorkerJob } from "./protocol.js";
import { runJob } from "./run-job.js";

export interface StageJob {
  kind: WorkerJob["kind"];
  /** Names to absolute paths. */
  inputs: Record<string, string>;
  options: Record<string, unknown>;
}

/**
 * Runs a stage's job in the pinned environment, in `context.outDir`.
 * @returns the outputs of the worker's `done` event.
 * @throws RerankTuneError of the worker; WORKER_PROTOCOL when the outputs have another shape.
 */
export async function runStageJob<Output>(
  context: StageContext,
  job: StageJob,
  outputs: z.ZodType<Output>,
): Promise<Output> {
  const done = await runJob({
    runtime: await context.python(),
    job: { v: PROTOCOL_VERSION, id: job.kind, out_dir: context.outDir, ...job },
    recordsDir: join(context.outDir, RECORDS_FOLDER),
    signal: context.signal,
    emit: context.emit,
  });
  const parsed = outputs.safeParse(done.outputs);
  if (parsed.success) return parsed.data;
  throw new RerankTuneError({
    code: "WORKER_PROTOCOL",
    message: `The ${job.kind} job gave a result of another shape: ${parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`).join("; ")}.`,
    hint: "install rerank-tune again, so that both halves come from one release",
  });
}
