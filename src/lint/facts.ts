// What lint knows of a folder: its files, its small texts and what the headers of its weights and graphs say. Read once; rules only look.
import { isObject, type JsonObject } from "../artifacts/json-value.js";
import type { OnnxHeader } from "../model-folder/onnx-header.js";
import type { TensorFacts } from "./safetensors-header.js";

export interface FileFacts {
  /** Relative, with forward slashes. */
  path: string;
  /** Of what a link points at; 0 for a link that points at nothing. */
  size: number;
  /** Whether it is a stand-in that git leaves where large-file storage was not fetched. */
  isPointer: boolean;
  /** Names that the same bytes have; 1 on the Hub. */
  hardLinks: number;
  /** Absolute folder that holds the bytes when the path is a link, else null. */
  linkedFolder: string | null;
  /** Whether it is a link to a place outside the folder. */
  leaves: boolean;
  /** Whether it is a link to nothing. */
  dangling: boolean;
}

/** Header of one weights file, or why it has none. */
export interface WeightsFacts {
  file: string;
  tensors: ReadonlyMap<string, TensorFacts>;
  /** Rest of a sentence that begins with the file's name. */
  problem: string | null;
  /** Of a Hub repository whose server gives no parts of files. */
  unread: boolean;
}

export interface GraphFacts {
  file: string;
  header: OnnxHeader | null;
  problem: string | null;
  unread: boolean;
}

/** A small JSON file: its value, or why there is none. */
export type Document = { value: unknown } | { problem: string };

export interface FolderFacts {
  /** As the user wrote it. */
  name: string;
  isHub: boolean;
  /** Absolute; empty for the Hub. */
  folder: string;
  files: ReadonlyMap<string, FileFacts>;
  texts: ReadonlyMap<string, string>;
  documents: ReadonlyMap<string, Document>;
  weights: readonly WeightsFacts[];
  graphs: readonly GraphFacts[];
}

/** Names under which sentence-transformers kept the length; TEI takes the first that is there (core/src/download.rs, ST_CONFIG_NAMES). */
export const LENGTH_FILES = [
  "sentence_bert_config.json",
  "sentence_roberta_config.json",
  "sentence_distilbert_config.json",
  "sentence_camembert_config.json",
  "sentence_albert_config.json",
  "sentence_xlm-roberta_config.json",
  "sentence_xlnet_config.json",
] as const;

/** Small files whose text is read. */
export const TEXT_FILES: readonly string[] = [
  "config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "modules.json",
  "config_sentence_transformers.json",
  ...LENGTH_FILES,
  "model.safetensors.index.json",
  "rerank-tune.json",
  "README.md",
];

/** The value of a JSON file when it is an object. */
export function objectIn(facts: FolderFacts, path: string): JsonObject | undefined {
  const document = facts.documents.get(path);
  return document !== undefined && "value" in document && isObject(document.value) ? document.value : undefined;
}

/** config.json, empty when there is none: rules of single fields then find nothing, and one rule says that it is missing. */
export const configOf = (facts: FolderFacts): JsonObject => objectIn(facts, "config.json") ?? {};
export const hasConfig = (facts: FolderFacts): boolean => objectIn(facts, "config.json") !== undefined;
export const tokenizerOf = (facts: FolderFacts): JsonObject => objectIn(facts, "tokenizer.json") ?? {};
export const tokenizerConfigOf = (facts: FolderFacts): JsonObject => objectIn(facts, "tokenizer_config.json") ?? {};

/** The same folder with another text in one file, as a fix leaves it. */
export function withText(facts: FolderFacts, path: string, text: string): FolderFacts {
  const known = facts.files.get(path);
  const file: FileFacts = {
    path,
    size: Buffer.byteLength(text),
    isPointer: false,
    hardLinks: 1,
    linkedFolder: null,
    leaves: false,
    dangling: false,
  };
  return {
    ...facts,
    files: new Map(facts.files).set(path, { ...(known ?? file), size: file.size }),
    texts: new Map(facts.texts).set(path, text),
    documents: path.endsWith(".json") ? new Map(facts.documents).set(path, parseDocument(text)) : facts.documents,
  };
}

export function parseDocument(text: string): Document {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: (error as Error).message.split("\n")[0] ?? "" };
  }
}

export const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
