// Options of `train`. Defaults are those of training.md §3 for a base that already is a reranker.
import { z } from "zod";
import type { TrimSection } from "../../trim/schema.js";

/** What a step minimizes; one file each in python/rerank_tune_worker/training/losses. */
export const TRAIN_LOSSES = ["group_ce", "bce", "lambda", "ranknet", "margin_mse", "kl"] as const;

const loraSchema = z.strictObject({
  rank: z.int().min(1).max(256).default(16).describe("Rank of the adapters."),
  alpha: z
    .number()
    .positive()
    .max(1024)
    .default(32)
    .describe("Scale of the adapters: alpha / rank times their product."),
  targets: z
    .enum(["all", "attention", "mlp"])
    .default("all")
    .describe("Linear layers of the encoder that get an adapter."),
});

const studentSchema = z.strictObject({
  layers: z
    .int()
    .min(2)
    .optional()
    .describe(
      "Layers of the encoder that the student has, evenly spread over the teacher's from the first to the last (DistilBERT, 1910.01108; LayerDrop, 1909.11556). Half of them is usual.",
    ),
  keep: z
    .array(z.int().min(0))
    .min(1)
    .optional()
    .describe("The layers themselves instead, counted from 0, rising, such as [0, 2, 4, 7, 9, 11]."),
  loss: z
    .enum(["kl", "margin_mse"])
    .default("kl")
    .describe(
      "How the student is held to the teacher's scores of each group: `kl`, divergence of the softmaxes; `margin_mse`, differences of scores over all pairs of passages, judged or not.",
    ),
  weight: z
    .number()
    .min(0)
    .max(100)
    .default(1)
    .describe("Weight of that beside `train.loss` on the labels; 0 learns from labels alone."),
});

const interpolateSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe(
      "Without effect on a fresh head, which has no base to mix with, and on a student, whose layers are fewer.",
    ),
  alphas: z
    .array(z.number().positive().max(1))
    .min(1)
    .max(20)
    .default([1, 0.7, 0.5, 0.3])
    .describe(
      "Shares of the way from base (0) to tuned (1), each scored on the dev queries of the evaluations (training.md §3). The largest share wins that is not clearly worse there than the best one, by a standard error of the difference; the base if none is better than it, shares above 0.5 by half of one. Where no step of training was that much better, shares up to 0.5 of the last weights are tried (docs/decisions/0009).",
    ),
  guard_max_drop: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe("NDCG@10 (0-1) that a guard set may lose against the base; a share that loses more is not taken."),
});

export const trainSchema = z.strictObject({
  loss: z
    .enum(TRAIN_LOSSES)
    .default("group_ce")
    .describe(
      "`group_ce`: softmax cross-entropy over the group, graded. `bce`: each pair alone. `lambda`: LambdaLoss for NDCG, for three grades and more. `ranknet`: pairs of passages. `margin_mse` and `kl` learn from a teacher: every training passage needs a teacher_score.",
    ),
  learning_rate: z
    .union([z.literal("auto"), z.number().positive().max(1e-2)])
    .default("auto")
    .describe(
      "Peak learning rate of AdamW. `auto` follows the base: 1e-5 for bge-reranker-v2-m3, more for smaller encoders, twice as much with a fresh head, 1.5e-4 for `lora` (docs/decisions/0008).",
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
    .describe(
      "Weight of the binary cross-entropy anchor beside every loss but `bce`, which is it; keeps the scale of scores.",
    ),
  teacher_temperature: z
    .number()
    .positive()
    .max(1000)
    .default(1)
    .describe("Divides the teacher's scores under `margin_mse` and `kl`: above 1 softens what it says."),
  kl_to_base: z
    .number()
    .min(0)
    .max(10)
    .default(0)
    .describe(
      "Weight of the divergence from the base's own softmax over each group, against forgetting; 0.1 to 0.5 where it matters, 0 is off. Only for a base that already is a reranker.",
    ),
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
  freeze_layers: z
    .int()
    .min(0)
    .default(0)
    .describe(
      "Lowest layers of the encoder that stay as they are, together with the embeddings whatever freeze_embeddings says; half of them make a step about 1.6 times as fast (training.md §4).",
    ),
  precision: z
    .enum(["auto", "fp32", "bf16"])
    .default("auto")
    .describe("`auto` takes bf16 where the hardware has it (AMX, avx512_bf16, GPU), with fp32 master weights."),
  micro_batch_tokens: z
    .union([
      z
        .int({ error: "must be `auto` or a whole number of tokens, from 128" })
        .min(128, "must be `auto` or at least 128"),
      z.literal("auto"),
    ])
    .default("auto")
    .describe(
      "Tokens that go through the model at once; groups are kept whole. `auto` on a CPU: 4096, or less where that would not fit into memory. On a GPU: the fastest of 2048, 4096, 8192 and so on that fits, measured before training; another run may measure otherwise and end with other last bits, so give the number of the manifest to repeat one exactly. A step that runs out of memory is done again with half.",
    ),
  evaluations: z
    .int()
    .min(1)
    .max(100)
    .default(6)
    .describe(
      "How often dev NDCG@10 is measured during training: a third of them in the first half, for the curve, the others in the second, where the weights are chosen. Kept is the latest that is not clearly below the best, by a standard error of the difference; a base that already ranks only gives way to what is above it by half a standard error (docs/decisions/0009).",
    ),
  evaluation_queries: z
    .int()
    .min(4)
    .default(200)
    .describe(
      "Dev queries of the evaluations during training; the first ones of the shuffled dev split. With few of them the choice of the checkpoint is chance.",
    ),
  evaluation_depth: z.int().min(2).default(16).describe("Candidates a query of the evaluations during training."),
  patience: z
    .int()
    .min(1)
    .default(3)
    .describe(
      "Evaluations in the second half of the run that are clearly below the best one before training stops: by more than a standard error of the difference over the dev queries. Earlier the rate is high and the weights still swing.",
    ),
  checkpoint_seconds: z
    .number()
    .min(0)
    .default(30)
    .describe("At most this many seconds of work are lost when the process is killed; 0 saves after every step."),
  seed: z.int().min(0).default(7).describe("Seed of the head, of sampling and of order."),
  seeds: z
    .int()
    .min(1)
    .max(8)
    .default(1)
    .describe(
      "Train so many times, with seed, seed + 1 and so on for sampling and order, all from the same start (a fresh head is that of the first seed). Seeds less than 0.5 points of dev NDCG@10 below the best are averaged weight by weight; the average is kept unless the best seed alone is better on dev. Takes as many times as long; 3 show what is luck (training.md §3).",
    ),
  device: z.enum(["auto", "cpu", "cuda"]).default("auto").describe("`auto` takes CUDA where torch can use it."),
  lora: loraSchema
    .nullable()
    .default(null)
    .describe(
      "Train low-rank adapters and the head instead of all weights; merged into a plain model at the end. Needs a learning_rate of 5e-5 to 3e-4, such as 1.5e-4. null trains the weights themselves.",
    ),
  gradient_checkpointing: z
    .boolean()
    .default(false)
    .describe(
      "Compute the inside of each layer twice instead of keeping it: much less memory, about 30 % slower (training.md §4), the very same gradients.",
    ),
  student: studentSchema
    .nullable()
    .default(null)
    .describe(
      "Train a smaller, faster model: the base without some of its layers, taught by the whole base (a tuned model of yours) on the same passages. verify then asks how much it lost, not whether it won (docs/guides/smaller-students.md).",
    ),
  interpolate: interpolateSchema
    .prefault({})
    .describe("After training, mix the tuned weights with those of a base that already is a reranker."),
  calibrate: z
    .boolean()
    .default(false)
    .describe(
      "Fit a * score + b on dev, so that the sigmoid of a score is the share of relevant passages, and fold it into the last layer; the ranking stays as it is.",
    ),
});
export type TrainOptions = z.infer<typeof trainSchema> & {
  base_identity: string;
  base_dir: string;
  /** Absent where the base keeps its vocabulary, so that the keys of such runs are what they were. */
  trim?: TrimStageOptions;
};
/** The recipe's section, and the version of the lists of letters where languages are given. */
export type TrimStageOptions = TrimSection & { exemplars?: string };
export type { TrainOutput } from "./output.js";
