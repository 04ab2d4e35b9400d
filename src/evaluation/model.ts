// Tells what kind of model folder this is and how many tokens a pair gets. Opens no weights.
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { RerankTuneError } from "../errors.js";
import { readHints } from "../model-folder/hints.js";
import { MODEL_FILES, VARIANT_FILES, VARIANT_NAMES, type VariantName } from "../model-folder/layout.js";
import { tokenPositions } from "../model-folder/positions.js";

export interface EvaluatedModel {
  folder: string;
  /** Null for a plain transformers folder, which the Python worker scores. */
  variant: VariantName | null;
  /** Tokens of a pair, special tokens included. */
  max_length: number;
}

export interface ModelChoice {
  /** The first of fp32, int8 and fp16 that is there when absent. */
  variant?: VariantName;
  /** What the folder says when absent. */
  maxLength?: number;
}

/** transformers' own word for "no limit" is about 1e30. */
const NO_LIMIT = 1_000_000;
const DEFAULT_POSITIONS = 512;

/**
 * A folder with a graph of ours in onnx/ is scored by ONNX Runtime, any other by the Python worker, which checks it.
 * @throws RerankTuneError MODEL_NOT_FOUND for a folder or variant that is not there; USAGE for more tokens than the model has positions.
 */
export async function openModel(folder: string, choice: ModelChoice): Promise<EvaluatedModel> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true)
    throw new RerankTuneError({
      code: "MODEL_NOT_FOUND",
      message: `There is no model folder ${folder}.`,
      hint: "name a folder made by `rerank-tune run RECIPE`, or one with config.json, tokenizer.json and model.safetensors",
    });
  const present = VARIANT_NAMES.filter((name) => existsSync(join(folder, VARIANT_FILES[name])));
  const variant = choice.variant ?? present[0] ?? null;
  if (variant !== null && !present.includes(variant)) throw noVariant(folder, variant, present);
  return { folder, variant, max_length: await maxLengthOf(folder, choice.maxLength) };
}

function noVariant(folder: string, variant: VariantName, present: readonly VariantName[]): RerankTuneError {
  return new RerankTuneError({
    code: "MODEL_NOT_FOUND",
    message: `${folder} has no ${VARIANT_FILES[variant]}.`,
    hint:
      present.length === 0
        ? "leave --variant out: a folder without onnx/ is scored by its model.safetensors"
        : `use --variant ${present.join(" or --variant ")}`,
  });
}

/** What the model was made with: the package's manifest, else the tokenizer's limit, else all its positions. */
async function maxLengthOf(folder: string, wanted: number | undefined): Promise<number> {
  const limit = tokenPositions(await readHints(join(folder, MODEL_FILES.config))) ?? DEFAULT_POSITIONS;
  if (wanted !== undefined) {
    if (wanted <= limit) return wanted;
    throw new RerankTuneError({
      code: "USAGE",
      message: `--max-length ${wanted} is more than the ${limit} tokens of the model.`,
      hint: `use --max-length ${limit} or less`,
    });
  }
  const made = (await readHints(join(folder, MODEL_FILES.manifest))).max_length;
  if (typeof made === "number") return made;
  const tokenizer = (await readHints(join(folder, MODEL_FILES.tokenizerConfig))).model_max_length;
  return typeof tokenizer === "number" && tokenizer < NO_LIMIT ? Math.min(tokenizer, limit) : limit;
}
