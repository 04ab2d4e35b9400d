// The shape of a rule and of what it finds, and the names of the consumers. A new rule is one entry in rules/index.ts.
import type { FolderFacts } from "./facts.js";

/** Consumers in the order of the report; consumers.ts says which versions their rules were read in. */
export const CONSUMERS = [
  "tei-ort",
  "tei-candle",
  "sentence-transformers",
  "sentence-transformers-onnx",
  "transformers.js",
  "infinity",
  "onnxruntime",
  "vllm",
] as const;
export type ConsumerName = (typeof CONSUMERS)[number];

export const TEI: readonly ConsumerName[] = ["tei-ort", "tei-candle"];
/** Those that open model.safetensors. */
export const TORCH: readonly ConsumerName[] = ["tei-candle", "sentence-transformers", "vllm"];
/** Those that open an ONNX graph. */
export const ONNX = [
  "tei-ort",
  "sentence-transformers-onnx",
  "transformers.js",
  "infinity",
  "onnxruntime",
] as const satisfies readonly ConsumerName[];
export type OnnxConsumer = (typeof ONNX)[number];
/** Those that read the configuration with Python's transformers. */
export const TRANSFORMERS: readonly ConsumerName[] = [
  "sentence-transformers",
  "sentence-transformers-onnx",
  "infinity",
  "vllm",
];
/** Everybody but onnxruntime, whose caller brings tokens and knows nothing of configuration. */
export const READERS: readonly ConsumerName[] = CONSUMERS.filter((name) => name !== "onnxruntime");

/** error: these consumers do not load it as a reranker. warning: they do, and something is wrong. note: good to know. */
export const SEVERITIES = ["error", "warning", "note"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What a consumer takes the folder for when it is no reranker to it. */
export type TakenFor = "classifier" | "embedder" | "generator";

/** New content of one small text file, of what `--fix` writes. */
export interface Edit {
  file: string;
  text: string;
}

/** One thing that a rule found. */
export interface Found {
  file?: string;
  /** What is so, with the value met. */
  message: string;
  /** What to change, as a sentence without a capital. */
  fix: string;
  /** When other than the rule's. */
  severity?: Severity;
  /** When fewer than the rule's. */
  consumers?: readonly ConsumerName[];
  takenFor?: TakenFor;
  /** Set when nobody could tell, as for a graph that was not read: the verdict becomes `unknown`. */
  unread?: boolean;
  /** Makes this finding go away and no other come; only for what follows from the folder itself. */
  edit?: Edit;
}

export interface Rule {
  /** Short and stable; `--json` and docs/reference/lint-rules.md show it. */
  id: string;
  severity: Severity;
  /** What it protects, in one sentence. */
  about: string;
  /** Where the fact stands. */
  source: string;
  consumers: readonly ConsumerName[];
  check(facts: FolderFacts): Found[];
}

export interface Finding {
  rule: string;
  severity: Severity;
  file: string | null;
  message: string;
  fix: string;
  consumers: ConsumerName[];
  fixable: boolean;
  /** Whether the file could not be read, so that its verdict is open. */
  unread: boolean;
}

/** A finding with what only the inside of lint needs. */
export interface FullFinding extends Finding {
  takenFor: TakenFor | null;
  edit: Edit | null;
}
