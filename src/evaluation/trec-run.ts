// Writes scores as a TREC run that trec_eval reads back to the same order.
import { access, constants, mkdir, rename, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { RerankTuneError } from "../errors.js";
import { rankingOrder } from "../ranking/order.js";
import type { EvaluationGroup } from "./groups.js";

/**
 * Makes sure, before the scoring, that the run can be written after it.
 * @throws RerankTuneError DATA_INVALID for ids that a run cannot hold; NOT_WRITABLE for the place.
 */
export async function prepareRun(path: string, groups: readonly EvaluationGroup[]): Promise<void> {
  for (const { query_id, candidates } of groups)
    for (const id of [query_id, ...candidates.map((candidate) => candidate.id)])
      if (/\s/.test(id))
        throw new RerankTuneError({
          code: "DATA_INVALID",
          message: `The id ${JSON.stringify(id)} holds white space, which separates the columns of a TREC run.`,
          hint: "use ids without white space, or leave --out out",
        });
  const code = await unwritable(path);
  if (code !== undefined)
    throw new RerankTuneError({
      code: "NOT_WRITABLE",
      message: `${path} cannot be written (${code}).`,
      hint: "name another file with --out",
    });
}

async function unwritable(path: string): Promise<string | undefined> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await access(dirname(path), constants.W_OK);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unknown";
  }
  return (await stat(path).catch(() => undefined))?.isDirectory() === true ? "it is a folder" : undefined;
}

/** @param scores one a candidate, in the order of the groups. */
export async function writeRun(
  path: string,
  groups: readonly EvaluationGroup[],
  scores: readonly ArrayLike<number>[],
  tag: string,
): Promise<void> {
  const partial = `${path}.partial`;
  await writeFile(partial, runLines(groups, scores, tag.replace(/\s+/g, "_")));
  await rename(partial, path);
}

function* runLines(
  groups: readonly EvaluationGroup[],
  scores: readonly ArrayLike<number>[],
  tag: string,
): Generator<string> {
  for (const [at, { query_id, candidates }] of groups.entries()) {
    const own = scores[at] ?? [];
    const ids = candidates.map(({ id }) => id);
    const lines = rankingOrder(own, ids).map(
      (position, rank) => `${query_id} Q0 ${ids[position]} ${rank + 1} ${number(own[position])} ${tag}\n`,
    );
    yield lines.join("");
  }
}

/** The shortest decimal that reads back to the same double, so to the same float32; what C's atof knows for the rest. NaN ranks last. */
function number(score = Number.NaN): string {
  if (Number.isFinite(score)) return String(score);
  return score === Number.POSITIVE_INFINITY ? "inf" : "-inf";
}
