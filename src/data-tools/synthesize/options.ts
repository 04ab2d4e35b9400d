// What `data synthesize` is asked to do and what it says in the end. Types only; the command checks what a person typed.
import type { EndpointOptions } from "../endpoint/endpoint.js";
import type { LocalTeacherOptions } from "../score/options.js";

export type { ScoreContext as SynthesizeContext } from "../score/options.js";

/** Who asks for queries, and how. */
export interface WriterOptions {
  endpoint: EndpointOptions;
  /** Name of the model as the server knows it. */
  model: string;
  /** Requests under way at once. */
  concurrency: number;
  temperature: number;
  /** Tokens of a reply, thinking included. */
  maxTokens: number;
  /** `auto`: that of the passage; else a language code such as `de`. */
  language: string;
  /** Template with {passage}, perhaps {count} and {language}; the built-in one when absent. */
  promptFile?: string;
}

/** The round trip: a query stays only when its passage ranks this high among candidates for it. */
export interface JudgeOptions extends LocalTeacherOptions {
  keepTop: number;
  /** BM25 candidates a query. */
  depth: number;
}

export interface SynthesizeOptions {
  /** JSONL of passages (also .gz) or a BEIR folder. */
  corpus: string;
  out: string;
  writer: WriterOptions;
  perPassage: number;
  /** Passages to write queries for, drawn with the seed. */
  count: number;
  seed: number;
  judge?: JudgeOptions;
  /** Labelled data whose queries no synthetic one may repeat. */
  avoid?: string;
  resume: boolean;
}

export interface SynthesizeReport {
  out: string;
  model: string;
  /** sha256 of the prompt template, hex. */
  prompt_sha256: string;
  corpus_passages: number;
  /** Passages that were asked about, and those too short to be. */
  asked: number;
  too_short: number;
  /** Passages whose replies an interrupted run had left. */
  resumed: number;
  /** Replies without a usable query. */
  unusable: number;
  /** Queries copied out of their passage. */
  copied: number;
  written: number;
  /** Queries that nearly repeat one of --avoid, and those that nearly repeat another new one. */
  avoided: number;
  duplicates: number;
  /** Queries whose passage did not rank high enough; null without a judge. */
  rejected: number | null;
  kept: number;
}
