// Which ONNX file each consumer opens of a folder, and what it does about length. Pure.
import { isObject, type JsonObject } from "../artifacts/json-value.js";
import { configOf, type FolderFacts, objectIn } from "./facts.js";
import { lengthFile, positionRows, positions, tokenizerLimit } from "./model-facts.js";
import { type ConsumerName, ONNX, type OnnxConsumer } from "./rule.js";

export const graphFiles = (facts: FolderFacts): string[] =>
  [...facts.files.keys()].filter((path) => path.endsWith(".onnx"));

const first = (files: readonly string[], wanted: readonly string[]): string | undefined =>
  wanted.find((name) => files.includes(name));

/**
 * The file a consumer opens when it is told nothing.
 * TEI: backends/ort/src/lib.rs. sentence-transformers: backend/utils.py, backend_should_export. transformers.js: model-loader.js (in
 * Node fp32 is the default). Infinity: utils_optimum.py, get_onnx_files (on a CPU). (onnx.md §1.1)
 */
const OPENS: Record<OnnxConsumer, (files: readonly string[]) => string | undefined> = {
  "tei-ort": (files) => first(files, ["model.onnx", "onnx/model.onnx"]),
  "sentence-transformers-onnx": (files) => first(files, ["model.onnx", "onnx/model.onnx"]) ?? only(files),
  "transformers.js": (files) => first(files, ["onnx/model.onnx"]),
  infinity: (files) => lastNamed(files, "quantize") ?? lastNamed(files, "model.onnx") ?? files.at(-1),
  onnxruntime: (files) => first(files, ["onnx/model.onnx", "model.onnx"]) ?? files[0],
};

const only = (files: readonly string[]): string | undefined => (files.length === 1 ? files[0] : undefined);
const lastNamed = (files: readonly string[], part: string): string | undefined =>
  files.filter((path) => path.split("/").at(-1)?.includes(part)).at(-1);

export const isOnnxConsumer = (name: ConsumerName): name is OnnxConsumer => (ONNX as readonly string[]).includes(name);

export function openedGraph(facts: FolderFacts, consumer: OnnxConsumer): string | undefined {
  return OPENS[consumer](graphFiles(facts));
}

/** Consumers that open this graph when they are told nothing. */
export function openersOf(facts: FolderFacts, file: string): OnnxConsumer[] {
  return ONNX.filter((consumer) => openedGraph(facts, consumer) === file);
}

/** TEI's bound on the tokens of a batch, and so of a pair (router/src/main.rs, --max-batch-tokens). */
const TEI_BATCH_TOKENS = 16384;

/** Tokens of a pair that TEI cuts to: what the length file says, else the positions (router/src/lib.rs). */
export function teiLength(facts: FolderFacts): number | undefined {
  const said = lengthFile(facts);
  const base = said === undefined ? positions(facts) : said.length;
  return base === undefined ? undefined : Math.min(base, TEI_BATCH_TOKENS);
}

const smallest = (...limits: (number | undefined)[]): number | undefined => {
  const known = limits.filter((limit): limit is number => limit !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
};

/** Tokens of a pair that a consumer lets through by default; undefined when it cuts nothing. */
const LENGTHS: Record<ConsumerName, (facts: FolderFacts) => number | undefined> = {
  "tei-ort": teiLength,
  "tei-candle": teiLength,
  "sentence-transformers": sentenceTransformersLength,
  "sentence-transformers-onnx": sentenceTransformersLength,
  "transformers.js": tokenizerLimit,
  infinity: positionRows, // optimum.py: max_length = config.max_position_embeddings
  onnxruntime: () => undefined,
  vllm: vllmLength,
};

export const lengthLimit = (facts: FolderFacts, consumer: ConsumerName): number | undefined => LENGTHS[consumer](facts);

/** base/modules/transformer.py: the length file only beside modules.json; the tokenizer's limit, but no more than the rows of positions. */
function sentenceTransformersLength(facts: FolderFacts): number | undefined {
  const said = facts.documents.has("modules.json") ? lengthFile(facts)?.length : undefined;
  return said ?? smallest(tokenizerLimit(facts), positionRows(facts));
}

/** vllm/config/model.py: the length file only with do_lower_case in it, the tokenizer's limit only where position_embedding_type says absolute. */
function vllmLength(facts: FolderFacts): number | undefined {
  const config = configOf(facts);
  const file = lengthFile(facts);
  const encoder: JsonObject = file === undefined ? {} : (objectIn(facts, file.file) ?? {});
  if (file?.length !== undefined && "do_lower_case" in encoder) return file.length;
  const limit = config.position_embedding_type === "absolute" ? tokenizerLimit(facts) : undefined;
  return smallest(limit, positionRows(facts));
}

/** Chunks of external weights that transformers.js is told to load for a graph (model-loader.js, resolveExternalDataFormat). */
export function chunksFor(facts: FolderFacts, file: string): number {
  const settings = configOf(facts)["transformers.js_config"];
  const format = isObject(settings) ? settings.use_external_data_format : undefined;
  const name = file.split("/").at(-1) ?? file;
  if (!isObject(format)) return Number(format ?? 0) || 0;
  // The name without suffix: `model` of model_fp16.onnx.
  return Number(format[name] ?? format.model ?? 0) || 0;
}
