// Small fake artifacts of the stages before package, for tests that need their layout and not their content.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { StageEvent } from "../../src/events.js";
import type { StageContext, StageInputs } from "../../src/pipeline/stage.js";
import { encodeOnnx, FLOAT, FLOAT16, soundGraph } from "./onnx-writer.js";

type UpstreamInputs = StageInputs<"prepare" | "train" | "export" | "quantize">;

export interface Upstream {
  inputs: UpstreamInputs;
  context(outDir: string): StageContext & { events: StageEvent[] };
}

export interface UpstreamOptions {
  /** Files to change, add, or leave out when undefined; paths begin with the stage. */
  files?: Record<string, string | Buffer | undefined>;
  graphInputs?: string[];
}

const CONFIG = `{
  "_name_or_path": "/home/someone/bases/x",
  "architectures": ["BertForSequenceClassification"],
  "model_type": "bert",
  "hidden_size": 32, "num_hidden_layers": 2, "max_position_embeddings": 512,
  "initializer_cutoff_factor": 2.0,
  "layer_norm_eps": 1e-12,
  "id2label": {"0": "relevant"},
  "pad_token_id": 0
}`;
const TOKENIZER = {
  truncation: null,
  padding: null,
  added_tokens: [{ id: 0, content: "[PAD]" }],
  normalizer: { type: "BertNormalizer", lowercase: true, strip_accents: null, handle_chinese_chars: false },
  model: { type: "WordPiece", vocab: { "[PAD]": 0 } },
};

/** Sound graphs that differ, since what comes from elsewhere is looked into: the output's element type, and an initializer more. */
function tinyGraph(type: number): Buffer {
  const graph = soundGraph();
  return encodeOnnx({ ...graph, outputs: graph.outputs.map((output) => ({ ...output, type })) });
}

/** The bytes of the int8 graph of every fake package. */
export const TINY_INT8 = encodeOnnx({
  ...soundGraph(),
  initializers: [...soundGraph().initializers, { name: "scale", type: FLOAT, dims: [1], bytes: Buffer.alloc(4) }],
});

/** A safetensors file of one weight. */
function tinyWeights(): Buffer {
  const header = JSON.stringify({ weight: { dtype: "F32", shape: [1], data_offsets: [0, 4] } });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(4)]);
}

/** Writes the artifacts of prepare, train, export and quantize below `root`. */
export async function writeUpstream(root: string, options: UpstreamOptions = {}): Promise<Upstream> {
  const files: Record<string, string | Buffer | undefined> = {
    "train/model/config.json": CONFIG,
    "train/model/tokenizer.json": JSON.stringify(TOKENIZER),
    "train/model/tokenizer_config.json": JSON.stringify({
      name_or_path: "/home/someone",
      pad_token: "[PAD]",
      sep_token: { content: "[SEP]" },
    }),
    "train/model/model.safetensors": tinyWeights(),
    "export/golden_pairs.json": '{"schema":1,"max_length":96,"pairs":[]}',
    "export/onnx/model.onnx": tinyGraph(FLOAT),
    "quantize/onnx/model_quantized.onnx": TINY_INT8,
    "quantize/onnx/model_fp16.onnx": tinyGraph(FLOAT16),
    ...options.files,
  };
  for (const [path, text] of Object.entries(files)) {
    if (text === undefined) continue;
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const graphInputs = options.graphInputs ?? ["input_ids", "attention_mask", "token_type_ids"];
  const stage = (name: string, output: unknown) => ({ dir: join(root, name), output, digest: name });
  const inputs: UpstreamInputs = {
    prepare: stage("prepare", {
      queries: { train: 3, dev: 1, test: 2 },
      pairs: { train: 24, dev: 4, test: 8 },
      digests: { train: "aa", dev: "bb", test: "cc" },
    }),
    train: stage("train", { model_type: "bert", steps: 5 }),
    export: stage("export", { inputs: graphInputs, max_abs_diff: 1e-7 }),
    quantize: stage("quantize", { variants: [], choices: [], tried: [], tei_runtime: null, weight_bits: 8 }),
  };
  return { inputs, context };
}

/** A context that keeps its events and refuses Python. */
export function context(outDir: string): StageContext & { events: StageEvent[] } {
  const events: StageEvent[] = [];
  const python = () => Promise.reject(new Error("no Python here"));
  return {
    outDir,
    resuming: false,
    signal: new AbortController().signal,
    emit: (event) => void events.push(event),
    python,
    now: () => new Date("2026-01-02T03:04:05Z"),
    events,
  };
}
