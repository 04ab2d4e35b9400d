// Options and inputs of `train` → its Python job; the only place that knows the job's argument names.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { GUARDS_FOLDER, groupsFile } from "../../dataset/groups.js";
import type { StageJob } from "../../worker/stage-job.js";
import type { TrainOptions } from "./schema.js";

const GUARD_FILE = /^([\w][\w.-]*)\.jsonl$/;

/**
 * @param dataset folder of the prepare artifact.
 * @returns names of its guard sets, sorted; none where there is no folder of them.
 */
export async function guardSets(dataset: string): Promise<string[]> {
  const entries = await readdir(join(dataset, GUARDS_FOLDER)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return entries.flatMap((entry) => GUARD_FILE.exec(entry)?.[1] ?? []).sort();
}

/**
 * @param dataset folder of the prepare artifact.
 * @param guards names of its guard sets; each becomes the input `guard-NAME`.
 * @param base folder of the base, where it is another than the recipe's: one with a smaller vocabulary.
 */
export function trainJob(
  options: TrainOptions,
  dataset: string,
  guards: readonly string[],
  base: string = options.base_dir,
): StageJob {
  const { base_dir: _dir, base_identity: _identity, trim: _trim, ...rest } = options;
  const file = (split: "train" | "dev" | "test"): string => join(dataset, groupsFile(split));
  const guarded = guards.map((name) => [`guard-${name}`, join(dataset, GUARDS_FOLDER, `${name}.jsonl`)]);
  return {
    kind: "train",
    inputs: {
      base,
      train: file("train"),
      dev: file("dev"),
      test: file("test"),
      ...Object.fromEntries(guarded),
    },
    options: rest,
  };
}
