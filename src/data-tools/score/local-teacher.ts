// A teacher in a folder: one of ours is scored by ONNX Runtime in a process that stays, a plain transformers folder by the Python worker.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, hashFile, hashText, listFiles } from "../../artifacts/hash.js";
import { RerankTuneError } from "../../errors.js";
import { type EvaluatedModel, openModel } from "../../evaluation/model.js";
import { scoreGroups } from "../../evaluation/score-groups.js";
import { Scorer } from "../../inference/scorer.js";
import { VARIANT_FILES, type VariantName } from "../../model-folder/layout.js";
import type { LocalTeacherOptions, ScoreContext } from "./options.js";
import type { Teacher, TeacherGroup } from "./teacher.js";

/** Some hundred pairs: enough of like length for full batches, and little to do again after an interruption. */
const ONNX_BLOCK = 32;
/** The worker loads the model once a block. */
const WORKER_BLOCK = 512;

/** @throws RerankTuneError MODEL_NOT_FOUND, USAGE for more tokens than the model has positions. */
export async function localTeacher(options: LocalTeacherOptions, context: ScoreContext): Promise<Teacher> {
  const { folder, variant, maxLength } = options;
  const model = await openModel(folder, {
    ...(variant === undefined ? {} : { variant }),
    ...(maxLength === undefined ? {} : { maxLength }),
  });
  const own = model.variant === null ? workerScores(model, context) : onnxScores(model, model.variant, context);
  const identity = { teacher: await digestOf(model), "tokens of a pair": String(model.max_length) };
  return { name: folder, identity, concurrency: 1, ...own };
}

function onnxScores(
  { folder, max_length: maxLength }: EvaluatedModel,
  variant: VariantName,
  { signal, processFile }: ScoreContext,
): Pick<Teacher, "block" | "score" | "close"> {
  let scorer: Scorer | undefined;
  return {
    block: ONNX_BLOCK,
    score: async (groups) => {
      scorer ??= await Scorer.start({
        folder,
        variantFile: VARIANT_FILES[variant],
        maxLength,
        signal,
        ...(processFile === undefined ? {} : { processFile }),
      });
      return (await scorer.scoreGroups(groups)).map((scores) => Array.from(scores, exact));
    },
    close: async () => await scorer?.close(),
  };
}

function workerScores(model: EvaluatedModel, context: ScoreContext): Pick<Teacher, "block" | "score" | "close"> {
  // Each block is a job of its own with phases and progress of its own: only what a person must know gets through.
  const emit: ScoreContext["emit"] = (event) => {
    if (event.type === "warning") context.emit(event);
  };
  return {
    block: WORKER_BLOCK,
    score: async (groups) => {
      const scored = await scoreGroups(model, groups.map(asEvaluated), { ...context, emit });
      return scored.groups.map((scores) => Array.from(scores, exact));
    },
    close: async () => undefined,
  };
}

function asEvaluated({ query, passages }: TeacherGroup, at: number): Parameters<typeof scoreGroups>[1][number] {
  const nothing = { label: 0, judged: false, first_stage_score: 0 };
  const candidates = passages.map((text, place) => ({ id: String(place), text, ...nothing }));
  return { query_id: String(at), query, candidates, missed: [] };
}

/** Nine digits tell all 32-bit floats apart. @throws RerankTuneError SCORER_FAILED for what is no number. */
function exact(score: number): number {
  if (Number.isFinite(score)) return Number(score.toPrecision(9));
  throw new RerankTuneError({
    code: "SCORER_FAILED",
    message: "The teacher gave a score that is not a finite number.",
    hint: "prove the folder with `rerank-tune verify FOLDER`, or name another variant with --variant",
  });
}

async function digestOf({ folder, variant }: EvaluatedModel): Promise<string> {
  const graph = variant === null ? [] : [VARIANT_FILES[variant], `${VARIANT_FILES[variant]}_data`];
  const weights = variant === null ? (await listFiles(folder)).filter((name) => /^[^/]*\.safetensors$/.test(name)) : [];
  const names = [...graph, ...weights, "config.json", "tokenizer.json", "tokenizer_config.json"];
  const digests: string[] = [];
  for (const path of names.map((name) => join(folder, name))) if (existsSync(path)) digests.push(await hashFile(path));
  return hashText(canonicalJson(digests));
}
