// Output of `train`: its shape, its check, and a few words about it.
import { z } from "zod";
import type { TrimReport } from "../../trim/schema.js";

export interface TrainOutput {
  /** Whether the base already had a one-label head; only then its own row appears in tables. */
  base_is_reranker: boolean;
  model_type: string;
  max_length: number;
  parameters: number;
  /** Optimizer steps done, and the step whose weights were kept, mixed with the base's or not (0: the base). With several seeds, of the best one. */
  steps: number;
  best_step: number;
  /** 0-1; on the evaluation subset of dev, before weights were mixed with those of the base. */
  dev_ndcg_at_10: { base: number; best: number };
  /** The peak rate: the recipe's, or what `auto` took. */
  learning_rate: number;
  device: string;
  precision: string;
  /** Why training ended: `finished`, `early_stop`, or `below_base` (three evaluations in a row worse than a base that already ranks). */
  ended: string;
  /** Tokens that went through the model at once; what `auto` took. Halvings within training are in records/micro_batch.json. */
  micro_batch_tokens: number;
  /** The spread over the seeds and what was kept of them; null where there was one. */
  seeds: TrainSeeds | null;
  /** The share of the way from base (0) to tuned (1) that was kept, and its NDCG@10 (0-1) on all of dev; null where there was nothing to mix. */
  interpolation: { alpha: number; dev_ndcg_at_10: number } | null;
  /** Scores are a * score + b of what training left, folded into the weights; null when not asked for or not possible. */
  calibration: { a: number; b: number } | null;
  /** Of a student, which of the teacher's layers it has and what the cut model had on dev before its first step; the `base` is then the teacher. */
  student: TrainedStudent | null;
  /** What left the base's vocabulary before training; absent where it was not trimmed. */
  trim?: TrimReport;
}

export interface TrainedStudent {
  /** Counted from 0, rising. */
  kept_layers: number[];
  teacher_layers: number;
  /** NDCG@10, 0-1. */
  start_dev_ndcg_at_10: number;
}

/** NDCG@10 values are 0-1, on the evaluation subset of dev. */
export interface TrainSeeds {
  /** In the order of training. `ended` is `collapsed` where the guard stopped the seed, and then it has no value. */
  runs: { seed: number; steps: number; best_step: number; dev_ndcg_at_10: number | null; ended: string }[];
  /** Over the seeds that did not collapse. */
  mean: number;
  /** Of the sample (n - 1); null for one value. */
  standard_deviation: number | null;
  best_seed: number;
  /** Seeds whose weights were averaged, none where there were not two to average, and the average's value. */
  averaged: number[];
  average_dev_ndcg_at_10: number | null;
  kept: "average" | "seed";
}

const seeds: z.ZodType<TrainSeeds> = z.object({
  runs: z.array(
    z.object({
      seed: z.int(),
      steps: z.int(),
      best_step: z.int(),
      dev_ndcg_at_10: z.number().nullable(),
      ended: z.string(),
    }),
  ),
  mean: z.number(),
  standard_deviation: z.number().nullable(),
  best_seed: z.int(),
  averaged: z.array(z.int()),
  average_dev_ndcg_at_10: z.number().nullable(),
  kept: z.enum(["average", "seed"]),
});

/** What the worker must answer with. */
export const outputSchema: z.ZodType<Omit<TrainOutput, "trim">> = z.object({
  base_is_reranker: z.boolean(),
  model_type: z.string(),
  max_length: z.int(),
  parameters: z.int(),
  steps: z.int(),
  best_step: z.int(),
  dev_ndcg_at_10: z.object({ base: z.number(), best: z.number() }),
  learning_rate: z.number(),
  device: z.string(),
  precision: z.string(),
  ended: z.string(),
  micro_batch_tokens: z.int(),
  seeds: seeds.nullable(),
  interpolation: z.object({ alpha: z.number(), dev_ndcg_at_10: z.number() }).nullable(),
  calibration: z.object({ a: z.number(), b: z.number() }).nullable(),
  student: z
    .object({ kept_layers: z.array(z.int()), teacher_layers: z.int(), start_dev_ndcg_at_10: z.number() })
    .nullable(),
});

/** Dev NDCG@10 in points, before and after. */
export const gain = ({ dev_ndcg_at_10: { base, best } }: TrainOutput): string =>
  `dev NDCG@10 ${(100 * base).toFixed(2)} → ${(100 * best).toFixed(2)}`;

/** Which weights were kept, in a few words. */
export function keptWeights({ seeds, best_step, steps, ended }: TrainOutput): string {
  const step = `step ${best_step} of ${steps} (${ended})`;
  if (seeds === null) return `at ${step}`;
  return seeds.kept === "average"
    ? `with the average of seeds ${seeds.averaged.join(", ")}`
    : `with seed ${seeds.best_seed}, the best of ${seeds.runs.length}, at ${step}`;
}
