// What mining is asked to do and what it says in the end. Types only; the command checks what a person typed.
import type { StageEvent } from "../../events.js";
import type { Pooling } from "../../inference/messages.js";

/** Who ranks the corpus for the queries. */
export type MineFrom = "bm25" | "run" | "embedding";

export interface EmbeddingOptions {
  /** Model folder with onnx/model.onnx or model.onnx, and tokenizer.json. */
  folder: string;
  /** Default: what the folder itself says, else mean. */
  pooling?: Pooling;
  /** Written before every query, such as `query: ` for E5. */
  queryPrefix: string;
  passagePrefix: string;
  /** Folder that keeps the vectors of the corpus for another run; without it they go when mining is done. */
  store?: string;
}

/** Where base scores come from: a score file (query, passage, logit), or a reranker that is run here. */
export type BaseOptions = { scores: string } | { model: string };

export interface MineOptions {
  /** Labelled data of any form that prepare takes. */
  source: string;
  /** JSONL of passages (also .gz) or a BEIR folder; a BEIR folder as `source` brings its own. */
  corpus?: string;
  out: string;
  from: MineFrom;
  /** TREC run, for `run`. */
  run?: string;
  /** For `embedding`. */
  embedding?: EmbeddingOptions;
  /** 1-based ranks that negatives are taken from, both ends included. */
  ranks: { first: number; last: number };
  /** Mined negatives a query, random ones among them; judged ones do not count. */
  perQuery: number;
  random: number;
  /** A candidate stays out from this share of the best positive's probability on, 0-1. */
  maxShare: number;
  base?: BaseOptions;
  seed: number;
  /** Continue what an interrupted run left. */
  resume: boolean;
}

export interface MineContext {
  signal: AbortSignal;
  emit(event: StageEvent): void;
  /** The compiled child process of the models; for tests that run the sources. */
  processFile?: string;
}

/** Counts of one run, or of a part of it. */
export interface MineCounts {
  /** Negatives from the ranks, and random ones. */
  mined: number;
  random: number;
  /** Candidates left out: they say what a judged passage or another candidate says, or are one. */
  duplicates: number;
  /** Candidates the base finds about as relevant as the best positive. */
  likely_positives: number;
  /** Candidates without a base score in the score file. */
  unscored: number;
  /** Queries that got fewer negatives than wanted. */
  short: number;
}

export interface MineReport extends MineCounts {
  out: string;
  from: MineFrom;
  corpus_passages: number;
  queries: number;
  /** Queries that negatives were looked for. */
  mined_queries: number;
  judged: number;
  /** False when there were no base scores, so that nothing could be held against false negatives. */
  filtered: boolean;
}
