// What train and prepare left for verify to compare with: scores of tuned model and base on the test split and on guard sets.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Group, GUARDS_FOLDER, readAllGroups } from "../../dataset/groups.js";
import type { StageEvent } from "../../events.js";
import { readScores, type Scores } from "../../ranking/scores.js";

/** One guard set, scored by train. `base` is absent where the head is fresh. */
export interface Guard {
  name: string;
  groups: readonly Group[];
  tuned: Scores;
  base?: Scores;
}

/** Scores that PyTorch gave on the same groups; from the train artifact. */
export interface References {
  tuned?: Scores;
  base?: Scores;
  guards?: readonly Guard[];
  tuned_pairs_per_second?: number | null;
  base_pairs_per_second?: number | null;
}

/**
 * @param guarded whether the recipe names a guard set; one that cannot be checked is then said, and not passed over.
 * @throws RerankTuneError DATA_INVALID for a score file that is damaged.
 */
export async function readReferences(
  trained: string,
  prepared: string,
  guarded: boolean,
  emit: (event: StageEvent) => void,
): Promise<References> {
  const base = join(trained, "scores.base.test.tsv");
  const throughput = join(trained, "records", "throughput.json");
  const guards = await readGuards(trained, prepared, emit);
  if (guarded && guards.length === 0)
    emit({ type: "warning", message: "`verify.guard` is not checked: no guard set was scored" });
  return {
    tuned: await readScores(join(trained, "scores.tuned.test.tsv")),
    ...(existsSync(base) ? { base: await readScores(base) } : {}),
    guards,
    ...(existsSync(throughput) ? (JSON.parse(await readFile(throughput, "utf8")) as References) : {}),
  };
}

async function readGuards(trained: string, prepared: string, emit: (event: StageEvent) => void): Promise<Guard[]> {
  const folder = join(prepared, GUARDS_FOLDER);
  const files = existsSync(folder) ? (await readdir(folder)).filter((file) => file.endsWith(".jsonl")).sort() : [];
  const guards: Guard[] = [];
  for (const file of files) {
    const name = file.slice(0, -".jsonl".length);
    const scores = (system: "base" | "tuned") => join(trained, `scores.${system}.guard-${name}.tsv`);
    if (!existsSync(scores("tuned"))) {
      emit({ type: "warning", message: `guard ${name} is not checked: train did not score it` });
      continue;
    }
    guards.push({
      name,
      groups: await readAllGroups(join(folder, file)),
      tuned: await readScores(scores("tuned")),
      ...(existsSync(scores("base")) ? { base: await readScores(scores("base")) } : {}),
    });
  }
  return guards;
}
