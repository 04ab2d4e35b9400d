// The stage train: fine-tunes the base in the Python worker and keeps the best checkpoint as a plain model folder.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashFile, listFiles } from "../../artifacts/hash.js";
import { RECORDS_FOLDER } from "../../artifacts/manifest.js";
import { BASE_FILES_RECORD } from "../../evidence/build-records.js";
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
  await recordBaseFiles(options.base_dir, context.outDir);
  context.emit({ type: "note", message: `${gain(output)} ${keptWeights(output)}` });
  // A base that `rerank-tune trim` made says so itself.
  const trim = trimmed?.report ?? (await readTrimReport(options.base_dir));
  return { ...output, ...(trim === undefined ? {} : { trim }) };
}

/** Which files the base had, by digest, for the provenance of what is published; the folder as a whole is in the key. */
async function recordBaseFiles(base: string, outDir: string): Promise<void> {
  const files: { path: string; sha256: string }[] = [];
  for (const path of await listFiles(base)) files.push({ path, sha256: await hashFile(join(base, path)) });
  const folder = join(outDir, RECORDS_FOLDER);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, BASE_FILES_RECORD), `${JSON.stringify(files, null, 2)}\n`);
}
