// Scores groups with a plain transformers folder: the `score` job of the Python worker in a private folder that is gone afterwards.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { readScores, scoresFor } from "../ranking/scores.js";
import { runStageJob, type StageJob } from "../worker/stage-job.js";
import type { EvaluationGroup } from "./groups.js";
import type { EvaluatedModel } from "./model.js";
import type { ModelScores, ScoringContext } from "./scores.js";

const outputs = z.object({
  pairs: z.int(),
  pairs_at_max_length: z.int(),
  seconds: z.number(),
  device: z.string(),
});

/** Tokens that go through the model at once: what `auto` takes for `train.micro_batch_tokens` on a CPU. */
const BATCH_TOKENS = 4096;
const GROUPS_FILE = "groups.jsonl";
const SCORES_FILE = "scores.tsv";

/** Options and inputs → the Python job; the only place that knows its argument names. Pure. */
export function scoreJob(model: EvaluatedModel, groupsFile: string): StageJob {
  return {
    kind: "score",
    inputs: { model: model.folder, groups: groupsFile },
    options: { max_length: model.max_length, device: "auto", batch_tokens: BATCH_TOKENS },
  };
}

/** On failure the worker's log stays for the error that names it; texts never do. */
export async function scoreWithWorker(
  model: EvaluatedModel,
  groups: readonly EvaluationGroup[],
  context: ScoringContext,
): Promise<ModelScores> {
  const { signal, emit, python } = context;
  const outDir = await mkdtemp(join(tmpdir(), "rerank-tune-eval-"));
  const groupsFile = join(outDir, GROUPS_FILE);
  try {
    await writeFile(groupsFile, groupLines(groups));
    const stage = { outDir, resuming: false, signal, emit, python, now: () => new Date() };
    const { pairs: _pairs, ...measured } = await runStageJob(stage, scoreJob(model, groupsFile), outputs);
    const scores = await readScores(join(outDir, SCORES_FILE));
    await rm(outDir, { recursive: true, force: true });
    return {
      ...measured,
      groups: groups.map(({ candidates }, at) => scoresFor(scores, String(at), candidates.map(place))),
    };
  } catch (error) {
    await rm(signal.aborted ? outDir : groupsFile, { recursive: true, force: true });
    throw error;
  }
}

/** Places stand for ids: an id may hold what a line of scores cannot. */
function* groupLines(groups: readonly EvaluationGroup[]): Generator<string> {
  for (const [at, { query, candidates }] of groups.entries()) {
    const passages = candidates.map(({ text }, position) => ({ id: String(position), text }));
    yield `${JSON.stringify({ query_id: String(at), query, passages })}\n`;
  }
}

const place = (_: unknown, position: number): string => String(position);
