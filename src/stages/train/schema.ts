// Options and output of `train`. Defaults are those of training.md §3 for a base that already is a reranker.
import { z } from "zod";

export const trainSchema = z.strictObject({
  learning_rate: z
    .number()
    .positive()
    .max(1e-2)
    .default(1e-5)
    .describe(
      "Peak learning rate of AdamW. 1e-5 suits a base that already is a reranker; a small encoder with a fresh head needs 5e-5 to 2e-4.",
    ),
  epochs: z
    .number()
    .positive()
    .max(100)
    .default(3)
    .describe("Passes over the training queries; early stopping may end sooner. Fractions are allowed."),
  queries_per_step: z
    .int()
    .min(1)
    .max(1024)
    .default(16)
    .describe("Queries (groups) an optimizer step, whatever the memory; micro-batches make them fit."),
  group_size: z
    .int()
    .min(2)
    .max(128)
    .default(8)
    .describe("Passages a query and step: one positive and group_size - 1 negatives, sampled anew each epoch."),
  max_length: z
    .int()
    .min(16)
    .max(8192)
    .default(256)
    .describe("Tokens of a pair, longest-first truncation; training, verification and serving share it."),
  bce_weight: z
    .number()
    .min(0)
    .max(10)
    .default(0.2)
    .describe("Weight of the binary cross-entropy anchor beside the group cross-entropy; keeps the scale of scores."),
  warmup_ratio: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.1)
    .describe("Share of steps that warm up; never fewer than 20 steps, or a third of a shorter run."),
  weight_decay: z.number().min(0).max(1).default(0.01).describe("AdamW weight decay, on matrices only."),
  clip_norm: z.number().positive().default(1).describe("Limit of the gradient norm."),
  dropout: z
    .boolean()
    .default(false)
    .describe("Use the base model's dropout. Off by default: on CPU it costs half the time (training.md §9)."),
  freeze_embeddings: z
    .boolean()
    .default(true)
    .describe(
      "Leave the word and position embeddings as they are: 45 % of bge-reranker-v2-m3, touched only at the few tokens of a small set.",
    ),
  precision: z
    .enum(["auto", "fp32", "bf16"])
    .default("auto")
    .describe("`auto` takes bf16 where the hardware has it (AMX, avx512_bf16, GPU), with fp32 master weights."),
  micro_batch_tokens: z.int().min(128).default(4096).describe("Tokens of a micro-batch; groups are kept whole."),
  evaluations: z
    .int()
    .min(1)
    .max(100)
    .default(8)
    .describe("How often dev NDCG@10 is measured during training, evenly spread."),
  evaluation_queries: z
    .int()
    .min(4)
    .default(64)
    .describe("Dev queries of the evaluations during training; the first ones of the shuffled dev split."),
  evaluation_depth: z.int().min(2).default(16).describe("Candidates a query of the evaluations during training."),
  patience: z.int().min(1).default(3).describe("Evaluations without a gain before training stops."),
  checkpoint_seconds: z
    .number()
    .min(0)
    .default(30)
    .describe("At most this many seconds of work are lost when the process is killed; 0 saves after every step."),
  seed: z.int().min(0).default(7).describe("Seed of the head, of sampling and of order."),
  device: z.enum(["auto", "cpu", "cuda"]).default("auto").describe("`auto` takes CUDA where torch can use it."),
});
export type TrainOptions = z.infer<typeof trainSchema> & { base_identity: string; base_dir: string };

export interface TrainOutput {
  /** Whether the base already had a one-label head; only then its own row appears in tables. */
  base_is_reranker: boolean;
  model_type: string;
  max_length: number;
  parameters: number;
  /** Optimizer steps done, and the step whose weights were kept (0: the base). */
  steps: number;
  best_step: number;
  /** 0-1; on the evaluation subset of dev. */
  dev_ndcg_at_10: { base: number; best: number };
  device: string;
  precision: string;
  /** Why training ended: `finished`, `early_stop`, or `below_base` (three evaluations in a row worse than a base that already ranks). */
  ended: string;
}
