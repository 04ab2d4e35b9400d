// Where the ONNX graph of a model folder lies, how long a pair it takes, and which of its files decide a result.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { RerankTuneError } from "../../errors.js";
import { MODEL_FILES } from "../../model-folder/layout.js";

const GRAPHS = ["onnx/model.onnx", "model.onnx"];
/** Files beside the graph that change what a model gives. */
const BESIDE = ["tokenizer.json", "config.json", "sentence_bert_config.json", "1_Pooling/config.json"];
/** Tokens of a pair where the folder does not say: what rerankers of the BERT and XLM-R families were trained on. */
const USUAL_LENGTH = 512;

/** The graph relative to `folder`. @throws RerankTuneError MODEL_NOT_FOUND. */
export function graphOf(folder: string, flag: string): string {
  const found = GRAPHS.find((name) => existsSync(join(folder, name)));
  if (found !== undefined && existsSync(join(folder, MODEL_FILES.tokenizer))) return found;
  const missing = found === undefined ? GRAPHS.join(" nor ") : MODEL_FILES.tokenizer;
  throw new RerankTuneError({
    code: "MODEL_NOT_FOUND",
    message: `${folder} has no ${missing}.`,
    hint: `give ${flag} a folder with an ONNX graph and its tokenizer.json, as \`rerank-tune run\` packages it or as the Hub has it under onnx/`,
  });
}

/** Absolute paths of the files whose content decides the result. */
export function decidingFiles(folder: string, graph: string): string[] {
  const names = [graph, `${graph}_data`, `${graph}.data`, ...BESIDE];
  return names.map((name) => join(folder, name)).filter((path) => existsSync(path));
}

/** Tokens of a pair: what a package of ours records, else the usual length or less when the model has fewer places. */
export async function pairLength(folder: string): Promise<number> {
  const ours = (await readJson(join(folder, MODEL_FILES.manifest))).max_length;
  if (typeof ours === "number") return ours;
  const places = (await readJson(join(folder, MODEL_FILES.config))).max_position_embeddings;
  return typeof places === "number" ? Math.min(places, USUAL_LENGTH) : USUAL_LENGTH;
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  } catch {
    return {};
  }
}
