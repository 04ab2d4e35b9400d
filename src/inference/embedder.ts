// Texts to unit vectors with one ONNX embedding model, in the same kind of child process as the scorer. Keeps no vectors.
import { join } from "node:path";
import { readHints } from "../model-folder/hints.js";
import { tokenPositions } from "../model-folder/positions.js";
import { BATCH_TOKENS, packBatch, planBatches } from "./batches.js";
import { TextTokenizer } from "./embedder-tokenizer.js";
import { eachBatch } from "./lanes.js";
import type { Pooling, Provider } from "./messages.js";
import { ScorerChild } from "./scorer-child.js";
import { textTemplate } from "./template.js";
import { openTokenizer } from "./tokenizer.js";

export interface EmbedderOptions {
  /** Model folder with tokenizer.json and config.json. */
  folder: string;
  /** ONNX file relative to `folder`. */
  modelFile: string;
  /** Default: what 1_Pooling/config.json of sentence-transformers says, else mean. */
  pooling?: Pooling;
  provider?: Provider;
  /** 0 (default): one a physical core. */
  threads?: number;
  signal?: AbortSignal;
  /** Tokens of a batch; see BATCH_TOKENS. */
  batchTokens?: number;
  /** The compiled child process; for tests that run the sources. */
  processFile?: string;
}

/** Longer texts are cut: the usual length of embedding models, and the models that take more were mostly trained on less. */
const LONGEST = 512;

export class Embedder {
  private constructor(
    private readonly child: ScorerChild,
    private readonly tokenizer: TextTokenizer,
    readonly pooling: Pooling,
    private readonly budget: number,
  ) {}

  /** @throws RerankTuneError MODEL_NOT_FOUND, MODEL_UNSUPPORTED, RUNTIME_MISSING, SCORER_FAILED, INTERRUPTED, TERMINATED. */
  static async start(options: EmbedderOptions): Promise<Embedder> {
    const { folder, modelFile, provider = "cpu", threads = 0, signal, processFile } = options;
    const { textIds, template, padId } = await openTokenizer(folder, textTemplate);
    const encoder = new TextTokenizer(textIds, template, padId, await maxLengthOf(folder));
    const { child } = await ScorerChild.open({
      modelFile: join(folder, modelFile),
      provider,
      threads,
      ...(signal === undefined ? {} : { signal }),
      ...(processFile === undefined ? {} : { processFile }),
    });
    const pooling = options.pooling ?? (await poolingOf(folder));
    return new Embedder(child, encoder, pooling, options.batchTokens ?? BATCH_TOKENS[provider]);
  }

  /** One unit vector a text, in their order: `vectors` has shape [texts, dimensions], row by row. */
  async embed(texts: readonly string[]): Promise<{ vectors: Float32Array; dimensions: number }> {
    const encoded = texts.map((text) => this.tokenizer.encode(text));
    let vectors = new Float32Array(0);
    let dimensions = 0;
    await eachBatch(planBatches(encoded, this.budget), async (positions) => {
      const rows = packBatch(positions.map((position) => encoded[position] as (typeof encoded)[number]));
      const found = await this.child.embed({ ...rows, padId: this.tokenizer.padId, pooling: this.pooling });
      if (dimensions === 0) {
        dimensions = found.dimensions;
        vectors = new Float32Array(texts.length * dimensions);
      }
      for (const [row, position] of positions.entries())
        vectors.set(found.vectors.subarray(row * dimensions, (row + 1) * dimensions), position * dimensions);
    });
    return { vectors, dimensions };
  }

  /** Ends the child process. */
  async close(): Promise<void> {
    await this.child.close();
  }
}

/** The pooling that the model was trained with, as sentence-transformers writes it down. */
export async function poolingOf(folder: string): Promise<Pooling> {
  const pooling = await readHints(join(folder, "1_Pooling", "config.json"));
  return pooling.pooling_mode_cls_token === true || pooling.pooling_mode === "cls" ? "cls" : "mean";
}

/** Tokens the model takes. */
async function maxLengthOf(folder: string): Promise<number> {
  const places = tokenPositions(await readHints(join(folder, "config.json"))) ?? LONGEST;
  const wanted = (await readHints(join(folder, "sentence_bert_config.json"))).max_seq_length;
  return Math.min(LONGEST, places, typeof wanted === "number" ? wanted : LONGEST);
}
