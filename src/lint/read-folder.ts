// Reads a folder or repository once into the facts that rules look at: list, small texts, headers. No tensor is loaded.
import { interrupted, RerankTuneError } from "../errors.js";
import { readOnnxHeader } from "../model-folder/onnx-header.js";
import type { ReadAt } from "../model-folder/read-at.js";
import {
  type Document,
  type FileFacts,
  type FolderFacts,
  type GraphFacts,
  parseDocument,
  TEXT_FILES,
  type WeightsFacts,
} from "./facts.js";
import { readSafetensorsHeader } from "./safetensors-header.js";
import type { FolderSource } from "./source.js";

/** No small file of a model is longer; the largest tokenizer.json known has 34 MB. */
const LONGEST_TEXT = 256_000_000;
/** Graphs of a repository that are read from afar; the others are seldom opened, and a graph takes a request a tensor. */
const REMOTE_GRAPHS = ["model.onnx", "onnx/model.onnx", "onnx/model_quantized.onnx"];

/** The server gives no parts of a file, or not so many. */
export class Unread extends Error {}

/** @throws RerankTuneError MODEL_NOT_FOUND for a folder without a file; INTERRUPTED. */
export async function readFolder(source: FolderSource, signal: AbortSignal): Promise<FolderFacts> {
  const listed = await source.list();
  if (listed.length === 0)
    throw new RerankTuneError({
      code: "MODEL_NOT_FOUND",
      message: `${source.name} is empty.`,
      hint: "name a model folder, such as one made by `rerank-tune run RECIPE`",
    });
  const readable = listed.filter(({ size, isPointer, dangling }) => size > 0 && !isPointer && !dangling);
  const texts = new Map<string, string>();
  const documents = new Map<string, Document>();
  const weights: WeightsFacts[] = [];
  const graphs: GraphFacts[] = [];
  for (const file of readable) {
    if (signal.aborted) throw interrupted(signal, "run the same command again");
    if (TEXT_FILES.includes(file.path) && file.size < LONGEST_TEXT) {
      const text = await source.text(file);
      texts.set(file.path, text);
      if (file.path.endsWith(".json")) documents.set(file.path, parseDocument(text));
    } else if (isWeights(file)) weights.push(await readWeights(source, file));
    else if (file.path.endsWith(".onnx")) graphs.push(await readGraph(source, file));
  }
  const files = new Map(listed.map((file) => [file.path, file]));
  return { name: source.name, isHub: source.isHub, folder: source.folder, files, texts, documents, weights, graphs };
}

/** Weights lie in the folder itself; an adapter's or another model's in a subfolder are not this model's. */
function isWeights({ path }: FileFacts): boolean {
  return /^(model|pytorch_model)[^/]*\.safetensors$/.test(path);
}

async function readWeights(source: FolderSource, file: FileFacts): Promise<WeightsFacts> {
  const read = await header(source, file, (readAt) => readSafetensorsHeader(file.size, readAt));
  return { file: file.path, tensors: read.value ?? new Map(), problem: read.problem, unread: read.unread };
}

async function readGraph(source: FolderSource, file: FileFacts): Promise<GraphFacts> {
  if (source.isHub && !REMOTE_GRAPHS.includes(file.path))
    return { file: file.path, header: null, problem: null, unread: true };
  const read = await header(source, file, (readAt) => readOnnxHeader(file.size, readAt));
  return { file: file.path, header: read.value, problem: read.problem, unread: read.unread };
}

interface Read<Value> {
  value: Value | null;
  problem: string | null;
  unread: boolean;
}

/** What is wrong with a file is a finding; what is wrong with the disk, the network or this tool is not. */
async function header<Value>(
  source: FolderSource,
  file: FileFacts,
  read: (readAt: ReadAt) => Promise<Value>,
): Promise<Read<Value>> {
  try {
    return { value: await source.pieces(file, read), problem: null, unread: false };
  } catch (error) {
    if (error instanceof Unread) return { value: null, problem: null, unread: true };
    if (error instanceof RerankTuneError || (error as NodeJS.ErrnoException).code !== undefined) throw error;
    return { value: null, problem: (error as Error).message, unread: false };
  }
}
