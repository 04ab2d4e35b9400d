// Guard sets: labelled data of another domain, as groups that train scores with base and tuned and verify holds against a limit.
import { mkdir } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { type Group, GUARDS_FOLDER, writeGroups } from "../../dataset/groups.js";
import { readLabelledData } from "../../dataset/readers/detect.js";
import type { StageContext } from "../../pipeline/stage.js";
import { drawsFor, shuffled } from "../../ranking/draws.js";
import { evaluationGroup, markClusters } from "./evaluation-groups.js";
import { firstStages, resolveKinds } from "./first-stage.js";
import type { PrepareOptions } from "./schema.js";
import { clustersOf } from "./split.js";

/** More queries than this sharpen nothing that a guard has to see, and every one is scored by base and tuned. */
const MOST_QUERIES = 300;

/** Writes one groups file a set. Candidates as `prepare.candidates.from: auto` finds them, to the recipe's depth. */
export async function writeGuards(
  context: StageContext,
  paths: readonly string[],
  options: PrepareOptions,
): Promise<void> {
  if (paths.length === 0) return;
  context.emit({ type: "phase", name: "read guard sets" });
  const folder = join(context.outDir, GUARDS_FOLDER);
  await mkdir(folder, { recursive: true });
  const names = guardNames(paths);
  for (const [index, path] of paths.entries()) {
    const groups = await guardGroups(path, options);
    context.emit({ type: "note", message: `guard set ${names[index]}: ${groups.length} queries` });
    await writeGroups(join(folder, `${names[index]}.jsonl`), groups);
  }
}

async function guardGroups(path: string, options: PrepareOptions): Promise<Group[]> {
  const data = await readLabelledData(path, "auto");
  data.findings.throwIfFatal(path);
  const kinds = resolveKinds(data, { ...options, candidates: { ...options.candidates, from: "auto" } }, false);
  const stage = firstStages(data, undefined)(kinds.candidates);
  const relevant = data.queries.filter((query) => [...query.judgements.values()].some(({ label }) => label > 0));
  const chosen = shuffled(relevant, drawsFor(options.seed, `guard ${basename(path)}`)).slice(
    0,
    Math.min(MOST_QUERIES, options.max_queries.test ?? MOST_QUERIES),
  );
  const groups = chosen.map((query) => evaluationGroup(data, query, stage, options.candidates.depth));
  return markClusters(groups, clustersOf(chosen));
}

/** File names without folder and ending, so that a client's folder is not told; two alike are numbered. */
export function guardNames(paths: readonly string[]): string[] {
  const names: string[] = [];
  for (const path of paths) {
    const plain = basename(path, extname(path))
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^-|-$/g, "");
    let name = plain;
    for (let number = 2; names.includes(name); number++) name = `${plain}-${number}`;
    names.push(name);
  }
  return names;
}
