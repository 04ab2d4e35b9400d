// The one scorer of the product: pair template, truncation, batching, threads, provider and child process in one place.
import { join } from "node:path";
import { BATCH_TOKENS, packBatch, planBatches } from "./batches.js";
import { eachBatch } from "./lanes.js";
import type { Provider, Scored } from "./messages.js";
import { ScorerChild } from "./scorer-child.js";
import { type EncodedPair, loadTokenizer, type PairTokenizer, type QueryPassages } from "./tokenizer.js";

export interface ScorerOptions {
  /** Model folder with tokenizer.json and config.json. */
  folder: string;
  /** ONNX file relative to `folder`, such as `onnx/model.onnx`. */
  variantFile: string;
  /** Tokens of a pair, special tokens included. */
  maxLength: number;
  provider?: Provider;
  /** 0 (default): one a physical core. */
  threads?: number;
  signal?: AbortSignal;
  /** A tokenizer that is loaded already; a large one takes a second. */
  tokenizer?: PairTokenizer;
  /** Tokens of a batch; see BATCH_TOKENS. */
  batchTokens?: number;
  /** The compiled child process; for tests that run the sources. */
  processFile?: string;
}

export interface ScorerStatistics {
  /** Milliseconds from the start of the process to a model ready to score. */
  coldStartMs: number;
  /** Highest resident memory of the scoring process, bytes. */
  memoryBytes: number;
  /** Milliseconds spent inside ONNX Runtime. */
  runMs: number;
  /** Pairs scored so far, and their real tokens. */
  pairs: number;
  tokens: number;
}

/** Scores pairs with one ONNX file. Scores are raw logits; a higher one is more relevant. */
export class Scorer {
  private constructor(
    private readonly child: ScorerChild,
    readonly tokenizer: PairTokenizer,
    private readonly options: ScorerOptions,
    readonly stats: ScorerStatistics,
  ) {}

  /** @throws RerankTuneError MODEL_NOT_FOUND, MODEL_UNSUPPORTED, RUNTIME_MISSING, SCORER_FAILED, INTERRUPTED, TERMINATED. */
  static async start(options: ScorerOptions): Promise<Scorer> {
    const tokenizer = options.tokenizer ?? (await loadTokenizer(options.folder));
    const started = performance.now();
    const { child, opened } = await ScorerChild.open({
      modelFile: join(options.folder, options.variantFile),
      provider: options.provider ?? "cpu",
      threads: options.threads ?? 0,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.processFile === undefined ? {} : { processFile: options.processFile }),
    });
    return new Scorer(child, tokenizer, options, {
      coldStartMs: performance.now() - started,
      memoryBytes: opened.memoryBytes,
      runMs: 0,
      pairs: 0,
      tokens: 0,
    });
  }

  /** One score a passage, in their order. */
  async score(query: string, passages: readonly string[]): Promise<Float32Array> {
    const [pairs] = this.tokenizer.encodeGroups([{ query, passages }], this.options.maxLength);
    return await this.scoreEncoded(pairs ?? []);
  }

  /** Scores of every group's passages, in order; all pairs are batched together. */
  async scoreGroups(
    groups: readonly QueryPassages[],
    onProgress?: (completed: number, total: number) => void,
  ): Promise<Float32Array[]> {
    const encoded = [...this.tokenizer.encodeGroups(groups, this.options.maxLength)];
    const scores = await this.scoreEncoded(encoded.flat(), onProgress);
    let offset = 0;
    return encoded.map(({ length }) => {
      offset += length;
      return scores.subarray(offset - length, offset);
    });
  }

  /** Scores pairs that are encoded already, in their order. */
  async scoreEncoded(
    pairs: readonly EncodedPair[],
    onProgress?: (completed: number, total: number) => void,
  ): Promise<Float32Array> {
    const budget = this.options.batchTokens ?? BATCH_TOKENS[this.options.provider ?? "cpu"];
    const scores = new Float32Array(pairs.length);
    let completed = 0;
    await eachBatch(planBatches(pairs, budget), async (positions) => {
      const found = await this.scoreBatch(positions.map((position) => pairs[position] as EncodedPair));
      for (const [row, position] of positions.entries()) scores[position] = found[row] as number;
      completed += positions.length;
      onProgress?.(completed, pairs.length);
    });
    return scores;
  }

  /** Scores exactly these pairs as one batch; `width` pads beyond the longest. For proofs that neither changes a score. */
  async scoreBatch(pairs: readonly EncodedPair[], width = 0): Promise<Float32Array> {
    const scored: Scored = await this.child.run({ ...packBatch(pairs, width), padId: this.tokenizer.padId });
    this.stats.runMs += scored.runMs;
    this.stats.pairs += pairs.length;
    this.stats.tokens += pairs.reduce((sum, pair) => sum + pair.ids.length, 0);
    this.stats.memoryBytes = Math.max(this.stats.memoryBytes, scored.memoryBytes);
    return scored.scores;
  }

  /** Ends the child process. */
  async close(): Promise<void> {
    await this.child.close();
  }
}
