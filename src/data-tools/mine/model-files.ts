// Where the ONNX graph of a model folder lies, how long a pair it takes, and which of its files decide a result.
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { RerankTuneError } from "../../errors.js";
import { readHints } from "../../model-folder/hints.js";
import { MODEL_FILES } from "../../model-folder/layout.js";
import { tokenPositions } from "../../model-folder/positions.js";

const GRAPHS = ["onnx/model.onnx", "model.onnx"];
/** Files beside the graph that change what a model gives. */
const BESIDE = ["tokenizer.json", "config.json", "sentence_bert_config.json", "1_Pooling/config.json"];
/** Tokens of a pair where the folder does not say: what rerankers of the BERT and XLM-R families were trained on. */
const USUAL_LENGTH = 512;

export type ModelFlag = "--model" | "--embedding-model";

/**
 * The graph relative to `folder`: onnx/model.onnx or model.onnx, else the only one there is, such as an optimized export.
 * @throws RerankTuneError MODEL_NOT_FOUND.
 */
export function graphOf(folder: string, flag: ModelFlag): string {
  if (!existsSync(folder)) throw notFound(`There is no folder ${folder}.`, `correct ${flag}`);
  const found = GRAPHS.find((name) => existsSync(join(folder, name))) ?? onlyGraph(folder);
  if (found !== undefined && existsSync(join(folder, MODEL_FILES.tokenizer))) return found;
  const missing = found === undefined ? GRAPHS.join(" nor ") : MODEL_FILES.tokenizer;
  throw notFound(
    `${folder} has no ${missing}.`,
    found === undefined && existsSync(join(folder, "model.safetensors")) ? EXPORT[flag] : WANTED[flag],
  );
}

const WANTED = {
  "--model":
    "give --model a reranker with an ONNX graph and its tokenizer.json, as `rerank-tune run` packages it or as the Hub has it under onnx/",
  "--embedding-model":
    "give --embedding-model a folder with an ONNX graph and its tokenizer.json, as the Hub has it under onnx/",
} as const;

/** sentence-transformers writes onnx/model.onnx beside the files of the folder. */
const EXPORT = {
  "--model":
    'it has weights and no ONNX graph: export it, such as by sentence-transformers\' `CrossEncoder(FOLDER, backend="onnx").save_pretrained(NEW_FOLDER)`',
  "--embedding-model":
    'it has weights and no ONNX graph: export it, such as by sentence-transformers\' `SentenceTransformer(FOLDER, backend="onnx").save_pretrained(NEW_FOLDER)`',
} as const;

/** Several graphs under other names, such as one for each kind of processor, are not chosen between. */
function onlyGraph(folder: string): string | undefined {
  const places = [...new Set(GRAPHS.map((name) => dirname(name)))];
  const graphs = places.flatMap((place) => {
    const parent = join(folder, place);
    const names = existsSync(parent) ? readdirSync(parent) : [];
    return names.filter((name) => name.endsWith(".onnx")).map((name) => (place === "." ? name : `${place}/${name}`));
  });
  return graphs.length === 1 ? graphs[0] : undefined;
}

/** @throws RerankTuneError MODEL_UNSUPPORTED for a bare encoder, which gives vectors and no scores; before anything is ranked. */
export async function refuseEncoder(folder: string): Promise<void> {
  const { architectures } = await readHints(join(folder, MODEL_FILES.config));
  const [name] = Array.isArray(architectures) ? architectures : [];
  if (typeof name !== "string" || !name.endsWith("Model")) return;
  throw new RerankTuneError({
    code: "MODEL_UNSUPPORTED",
    message: `${folder} is an embedding model (${name}): it gives vectors, not the scores that --model is for.`,
    hint: "give it as --embedding-model, and --model a reranker, such as BAAI/bge-reranker-v2-m3 as an ONNX folder",
  });
}

const notFound = (message: string, hint: string): RerankTuneError =>
  new RerankTuneError({ code: "MODEL_NOT_FOUND", message, hint });

/** Absolute paths of the files whose content decides the result. */
export function decidingFiles(folder: string, graph: string): string[] {
  const names = [graph, `${graph}_data`, `${graph}.data`, ...BESIDE];
  return names.map((name) => join(folder, name)).filter((path) => existsSync(path));
}

/** Tokens of a pair: what a package of ours records, else the usual length or less when the model has fewer places. */
export async function pairLength(folder: string): Promise<number> {
  const ours = (await readHints(join(folder, MODEL_FILES.manifest))).max_length;
  if (typeof ours === "number") return ours;
  return Math.min(tokenPositions(await readHints(join(folder, MODEL_FILES.config))) ?? USUAL_LENGTH, USUAL_LENGTH);
}
