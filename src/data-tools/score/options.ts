// What `data score` is asked to do and what it says in the end. Types only; the command checks what a person typed.
import type { DataFormat } from "../../dataset/forms.js";
import type { PythonRuntime } from "../../environment/python-runtime.js";
import type { StageEvent } from "../../events.js";
import type { VariantName } from "../../model-folder/layout.js";
import type { EndpointOptions } from "../endpoint/endpoint.js";

/** Interfaces of reranking servers: Text Embeddings Inference, and that of Cohere, Jina, vLLM, Infinity and llama.cpp. */
export const RERANK_APIS = ["tei", "rerank"] as const;
export type RerankApi = (typeof RERANK_APIS)[number];

/** A folder of ours or a plain transformers one. */
export interface LocalTeacherOptions {
  folder: string;
  variant?: VariantName;
  /** Tokens of a pair; what the folder says when absent. */
  maxLength?: number;
}

export interface EndpointTeacherOptions {
  api: RerankApi;
  endpoint: EndpointOptions;
  /** Name of the model as the server knows it; TEI serves one model and needs none. */
  model?: string;
  /** Passages of a request. */
  batch: number;
  /** Requests under way at once. */
  concurrency: number;
  /** The server gives probabilities: write their logits. */
  toLogits: boolean;
}

export type TeacherOptions = LocalTeacherOptions | EndpointTeacherOptions;

export interface ScoreOptions {
  /** Labelled data of any form. */
  source: string;
  format: DataFormat | "auto";
  /** Graded groups with a teacher_score on every passage. One of `out` and `scores` is there, or both are. */
  out?: string;
  /** Table of query id, passage id and score, as `data check` and `data mine` take it. */
  scores?: string;
  teacher: TeacherOptions;
  /** Continue what an interrupted run left. */
  resume: boolean;
}

export interface ScoreContext {
  signal: AbortSignal;
  emit(event: StageEvent): void;
  python(): Promise<PythonRuntime>;
  /** The compiled scoring process; for tests that run the sources. */
  processFile?: string;
}

export interface ScoreReport {
  /** What was written; null for what was not asked for. */
  out: string | null;
  scores: string | null;
  /** Folder, or address without its query string. */
  teacher: string;
  queries: number;
  passages: number;
  /** Queries whose scores an interrupted run had left. */
  resumed: number;
  /** Passages that had a teacher score before. */
  replaced: number;
  lowest: number;
  highest: number;
  /** Share (0-1) of pairs with different labels that the teacher orders as the labels do, ties by half; null without such pairs. */
  agreement: number | null;
}
