// Scores any model folder on one split of a BEIR folder and measures the ranking beside the first stage's. The door of this room.
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { dataNotFound, Findings } from "../dataset/findings.js";
import { findCandidates } from "./first-stage.js";
import { evaluationGroups } from "./groups.js";
import { type EvaluatedModel, type ModelChoice, openModel } from "./model.js";
import { type Evaluation, type EvaluationInput, evaluationReport } from "./report.js";
import { scoreGroups } from "./score-groups.js";
import type { ScoringContext } from "./scores.js";
import { readSplit } from "./split.js";
import { prepareRun, writeRun } from "./trec-run.js";

export type { Evaluation } from "./report.js";

export interface EvaluationRequest extends ModelChoice, ScoringContext {
  /** Model folder. */
  model: string;
  /** BEIR folder. */
  data: string;
  split: string;
  /** TREC run of candidates. */
  run?: string;
  /** Candidates a query, at most. */
  depth?: number;
  /** Queries, at most; drawn with a fixed seed. */
  queries?: number;
  /** TREC run to write. */
  out?: string;
}

/**
 * @throws RerankTuneError DATA_NOT_FOUND, DATA_INVALID, MODEL_*, USAGE, SCORER_FAILED, WORKER_*, INTERRUPTED, TERMINATED.
 */
export async function evaluate(request: EvaluationRequest): Promise<Evaluation> {
  const { emit, data, split, out } = request;
  const model = await openModel(request.model, request);
  const input = await readInput(request);
  if (out !== undefined) await prepareRun(out, input.groups);
  emit({ type: "phase", name: `score with ${model.variant ?? "model.safetensors"}` });
  const scored = await scoreGroups(model, input.groups, request);
  if (out !== undefined) await writeRun(out, input.groups, scored.groups, runTag(model));
  emit({ type: "phase", name: "measure" });
  const report = evaluationReport({ model, data, split, out: out ?? null }, input, scored);
  if (report.scores_not_finite > 0)
    emit({
      type: "warning",
      message: `${report.scores_not_finite} of ${report.candidates} scores are not finite; a NaN ranks last`,
    });
  return report;
}

async function readInput(request: EvaluationRequest): Promise<EvaluationInput> {
  const { data, emit, run, depth, signal } = request;
  if ((await stat(data).catch(() => undefined))?.isDirectory() !== true)
    throw dataNotFound(
      `There is no folder ${data}.`,
      "name a BEIR folder with --data: corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv, plain or .gz",
    );
  const findings = new Findings();
  emit({ type: "phase", name: "read the split" });
  const split = await readSplit(data, request.split, request.queries, findings);
  if (split.conflicts > 0)
    emit({
      type: "warning",
      message: `${split.conflicts} pairs are judged twice with other labels; the higher one counts`,
    });
  emit({ type: "phase", name: "find the candidates" });
  const stage = await findCandidates(
    { folder: data, signal, emit, ...(run === undefined ? {} : { run }), ...(depth === undefined ? {} : { depth }) },
    split.queries,
    findings,
  );
  return { split, stage, groups: evaluationGroups(split.queries, stage) };
}

/** Last column of a written run: which model it was. */
function runTag({ folder, variant }: EvaluatedModel): string {
  return `${basename(folder)}-${variant ?? "safetensors"}`;
}
