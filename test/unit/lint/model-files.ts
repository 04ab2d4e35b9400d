// One sound model folder, made in code and small enough to break in a hundred ways: a BERT of one layer that sentence-transformers and ONNX Runtime run.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { FileFacts, FolderFacts } from "../../../src/lint/facts.js";
import { type LintReport, lintFolder } from "../../../src/lint/index.js";
import { readFolder } from "../../../src/lint/read-folder.js";
import type { ConsumerName } from "../../../src/lint/rule.js";
import type { FolderSource } from "../../../src/lint/source.js";
import { encodeOnnx, type Graph, soundGraph } from "../../helpers/onnx-writer.js";

// biome-ignore lint/suspicious/noExplicitAny: tests break values of every type
export type Json = Record<string, any>;

/** Parts of the folder before they are written; a case changes one. */
export interface Parts {
  config: Json;
  tokenizer: Json;
  tokenizerConfig: Json;
  specialTokens: Json;
  modules: Json[];
  sentenceTransformers: Json;
  sentenceBert: Json;
  card: string;
  tensors: Record<string, Tensor>;
  graph: Graph;
  /** Files as they are written; null removes one of the above. */
  files: Record<string, string | Buffer | null>;
}

export interface Tensor {
  shape: number[];
  dtype?: string;
}

const WIDTH = 16;
export const POSITIONS = 64;
export const VOCABULARY = 32;

export const CARD = `---
license: mit
pipeline_tag: text-ranking
library_name: sentence-transformers
base_model: owner/base # where it is from
---

# A reranker
`;

/** Fresh parts of a folder without a fault. */
export function soundParts(): Parts {
  return {
    config: soundConfig(),
    tokenizer: soundTokenizer(),
    tokenizerConfig: {
      tokenizer_class: "BertTokenizer",
      model_max_length: POSITIONS,
      pad_token: "[PAD]",
      cls_token: "[CLS]",
      sep_token: "[SEP]",
      unk_token: "[UNK]",
      mask_token: "[MASK]",
    },
    specialTokens: { pad_token: "[PAD]", cls_token: "[CLS]", sep_token: "[SEP]", unk_token: "[UNK]" },
    modules: [{ idx: 0, name: "0", path: "", type: "sentence_transformers.base.modules.transformer.Transformer" }],
    sentenceTransformers: {
      activation_fn: "torch.nn.modules.activation.Sigmoid",
      model_type: "CrossEncoder",
      prompts: {},
    },
    sentenceBert: {
      transformer_task: "sequence-classification",
      modality_config: { text: { method: "forward", method_output_name: "logits" } },
      module_output_name: "scores",
      max_seq_length: POSITIONS,
    },
    card: CARD,
    tensors: soundTensors(),
    graph: soundGraph(),
    files: {},
  };
}

function soundConfig(): Json {
  return {
    architectures: ["BertForSequenceClassification"],
    model_type: "bert",
    vocab_size: VOCABULARY,
    hidden_size: WIDTH,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 32,
    hidden_act: "gelu",
    hidden_dropout_prob: 0.1,
    attention_probs_dropout_prob: 0.1,
    max_position_embeddings: POSITIONS,
    type_vocab_size: 2,
    initializer_range: 0.02,
    layer_norm_eps: 1e-12,
    pad_token_id: 0,
    id2label: { "0": "LABEL_0" },
    label2id: { LABEL_0: 0 },
    dtype: "float32",
    sentence_transformers: { activation_fn: "torch.nn.modules.activation.Sigmoid" },
  };
}

function soundTokenizer(): Json {
  const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
  const words = Array.from({ length: VOCABULARY - special.length }, (_, index) => `word${index}`);
  const token = (content: string, id: number) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const fixed = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
  const text = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special.map(token),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [fixed("[CLS]", 0), text("A", 0), fixed("[SEP]", 0)],
      pair: [fixed("[CLS]", 0), text("A", 0), fixed("[SEP]", 0), text("B", 1), fixed("[SEP]", 1)],
      special_tokens: {
        "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] },
        "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] },
      },
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries([...special, ...words].map((piece, id) => [piece, id])),
    },
  };
}

/** All 25 tensors of such a model, under the names that transformers saves. */
function soundTensors(): Record<string, Tensor> {
  const layer = "bert.encoder.layer.0";
  const square = ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"];
  const linear = (name: string, rows: number, columns: number): [string, Tensor][] => [
    [`${name}.weight`, { shape: [rows, columns] }],
    [`${name}.bias`, { shape: [rows] }],
  ];
  const norm = (name: string): [string, Tensor][] => [
    [`${name}.weight`, { shape: [WIDTH] }],
    [`${name}.bias`, { shape: [WIDTH] }],
  ];
  return Object.fromEntries<Tensor>([
    ["bert.embeddings.word_embeddings.weight", { shape: [VOCABULARY, WIDTH] }],
    ["bert.embeddings.position_embeddings.weight", { shape: [POSITIONS, WIDTH] }],
    ["bert.embeddings.token_type_embeddings.weight", { shape: [2, WIDTH] }],
    ...norm("bert.embeddings.LayerNorm"),
    ...square.flatMap((name) => linear(`${layer}.${name}`, WIDTH, WIDTH)),
    ...norm(`${layer}.attention.output.LayerNorm`),
    ...linear(`${layer}.intermediate.dense`, 32, WIDTH),
    ...linear(`${layer}.output.dense`, WIDTH, 32),
    ...norm(`${layer}.output.LayerNorm`),
    ...linear("bert.pooler.dense", WIDTH, WIDTH),
    ...linear("classifier", 1, WIDTH),
  ]);
}

const BYTES: Record<string, number> = { F32: 4, F16: 2, BF16: 2 };

/** A safetensors file of zeros. */
export function encodeSafetensors(tensors: Record<string, Tensor>): Buffer {
  let end = 0;
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  for (const [name, { shape, dtype = "F32" }] of Object.entries(tensors)) {
    const start = end;
    end += shape.reduce((product, dim) => product * dim, BYTES[dtype] ?? 4);
    header[name] = { dtype, shape, data_offsets: [start, end] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(end)]);
}

/** The folder's files: what the parts say, then `files` over it. */
export function filesOf(parts: Parts): Record<string, string | Buffer> {
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  const all: Record<string, string | Buffer | null> = {
    "config.json": json(parts.config),
    "tokenizer.json": json(parts.tokenizer),
    "tokenizer_config.json": json(parts.tokenizerConfig),
    "special_tokens_map.json": json(parts.specialTokens),
    "modules.json": json(parts.modules),
    "config_sentence_transformers.json": json(parts.sentenceTransformers),
    "sentence_bert_config.json": json(parts.sentenceBert),
    "README.md": parts.card,
    "model.safetensors": encodeSafetensors(parts.tensors),
    "onnx/model.onnx": encodeOnnx(parts.graph),
    ...parts.files,
  };
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string | Buffer] => entry[1] !== null),
  );
}

export type Change = (parts: Parts) => void;

/** Writes the sound folder with one change. */
export async function writeModel(folder: string, change: Change = () => undefined): Promise<void> {
  const parts = soundParts();
  change(parts);
  for (const [path, content] of Object.entries(filesOf(parts))) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

/** The sound folder with one change, read without a disk. */
export async function readModel(change: Change = () => undefined): Promise<FolderFacts> {
  const parts = soundParts();
  change(parts);
  const contents = new Map(Object.entries(filesOf(parts)).map(([path, content]) => [path, Buffer.from(content)]));
  const source: FolderSource = {
    name: "model",
    isHub: false,
    folder: "",
    list: async () =>
      [...contents].sort(([left], [right]) => (left < right ? -1 : 1)).map(([path, bytes]) => plainFile(path, bytes)),
    text: async ({ path }) => contents.get(path)?.toString("utf8") ?? "",
    pieces: ({ path }, work) =>
      work(async (offset, length) => contents.get(path)?.subarray(offset, offset + length) ?? Buffer.alloc(0)),
  };
  return readFolder(source, new AbortController().signal);
}

function plainFile(path: string, bytes: Buffer): FileFacts {
  const isPointer = bytes.toString("utf8", 0, 23) === "version https://git-lfs";
  return { path, size: bytes.length, isPointer, hardLinks: 1, linkedFolder: null, leaves: false, dangling: false };
}

export function lintIt(folder: string, more: { deciding?: ConsumerName[]; fix?: boolean } = {}): Promise<LintReport> {
  return lintFolder({ name: folder, deciding: [], fix: false, signal: new AbortController().signal, ...more });
}

/** One way to break the folder: what must be found, who must refuse it, and whether --fix mends it all. */
export interface Case {
  title: string;
  change: Change;
  rules: string[];
  no: ConsumerName[];
  fixable?: boolean;
}
