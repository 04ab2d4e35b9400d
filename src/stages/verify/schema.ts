// Options and output of `verify`: the gates, and what was measured against them.
import { z } from "zod";
import type { ProviderShares } from "../../inference/provider-shares.js";
import type { PairedComparison } from "../../ranking/significance.js";
import type { SliceReport } from "../../ranking/slices.js";

export const verifySchema = z.strictObject({
  guard: z
    .union([z.string(), z.array(z.string()).min(1)])
    .optional()
    .describe(
      "Labelled data of another domain that the tuned model must not get worse on, one path or several, in any form of `prepare.source`. Relative to the recipe.",
    ),
  gates: z
    .strictObject({
      fp32_max_abs_diff: z
        .number()
        .positive()
        .default(1e-4)
        .describe("Largest |logit difference| of the fp32 graph against PyTorch on the golden pairs."),
      ndcg_max_drop: z
        .number()
        .min(0)
        .max(1)
        .default(0.005)
        .describe(
          "NDCG@10 a variant may lose against the tuned model; passes when the 95 % interval of the difference lies above minus this, fails when it lies below, else inconclusive.",
        ),
      invariance_max: z
        .number()
        .positive()
        .default(1e-5)
        .describe("Largest change of a logit between a pair scored alone and in a batch, or with more padding."),
      guard_max_drop: z
        .number()
        .min(0)
        .max(1)
        .default(0.01)
        .describe(
          "NDCG@10 the tuned model may lose against the base on a guard set; judged by the interval as `ndcg_max_drop` is.",
        ),
      spearman_min: z
        .number()
        .min(-1)
        .max(1)
        .default(0.98)
        .describe("Mean rank correlation a query with the tuned model."),
      min_speedup: z
        .number()
        .min(0)
        .optional()
        .describe("Least speed of int8 as a multiple of fp32 on this machine; not a gate unless given."),
      p95_ms: z
        .number()
        .positive()
        .optional()
        .describe(
          "Limit of the 95th percentile latency of the fastest passing variant at `latency.gate_candidates` candidates; not a gate unless given.",
        ),
    })
    .prefault({}),
  latency: z
    .strictObject({
      candidates: z.array(z.int().min(1)).default([10, 20, 50, 100]).describe("Candidates a request."),
      gate_candidates: z.int().min(1).default(50).describe("Candidates the `p95_ms` gate looks at."),
      budget_seconds: z
        .number()
        .positive()
        .default(20)
        .describe("Time for all latency measurements together; samples stop when it is spent."),
      threads: z.int().min(0).default(0).describe("Threads of ONNX Runtime; 0 leaves one a physical core."),
    })
    .prefault({}),
  providers: z
    .array(z.enum(["cpu", "cuda"]))
    .default(["cpu", "cuda"])
    .describe("Execution providers to measure; cuda only where a probe in a child process shows that it works."),
  tei_gpu_pairs: z
    .int()
    .min(0)
    .default(1000)
    .describe(
      "Pairs of the test split, in whole queries, that PyTorch also scores as text-embeddings-inference does on a GPU (float16 weights, tanh-GELU); 0 leaves it out.",
    ),
});
export type VerifyOptions = z.infer<typeof verifySchema>;

export type GateOutcome = "passed" | "failed" | "inconclusive";

/** One limit and what was measured; `missed_by` is in the unit of the limit. */
export interface GateResult {
  gate: string;
  outcome: GateOutcome;
  measured: number | null;
  limit: number;
  missed_by?: number;
  detail: string;
}

/** Metrics are 0-1; intervals are 95 % bootstrap percentiles over queries, over clusters of queries where there are such. */
export interface QualityRow {
  "ndcg@10": number;
  "ndcg@10_interval": [number, number];
  "mrr@10": number;
  "recall@5": number;
  queries: number;
  /** Sets of queries that were resampled as one; absent where every query stands alone. */
  clusters?: number;
}

export interface LatencyRow {
  variant: string;
  provider: string;
  candidates: number;
  /** Real tokens a pair, mean. */
  tokens_per_pair: number;
  samples: number;
  p50_ms: number;
  p95_ms: number;
  /** Only from 100 samples up. */
  p99_ms: number | null;
}

/** Of NDCG@10, 0-1; `clusters` as in QualityRow. */
export interface NdcgDifference {
  mean: number;
  interval: [number, number];
  smallest_detectable: number;
  clusters?: number;
}

export interface VariantReport {
  name: "fp32" | "int8" | "fp16";
  provider: string;
  outcome: GateOutcome;
  gates: GateResult[];
  quality: QualityRow | null;
  /** Against the tuned model: mean difference of NDCG@10 with its interval. */
  ndcg_difference: NdcgDifference | null;
  spearman: number | null;
  top1_flips: number | null;
  /** Root mean square of the score difference over the standard deviation of the reference scores. */
  relative_error: number | null;
  pairs_per_second: number | null;
  bytes: number;
  cold_start_ms: number;
  memory_bytes: number;
  /** Which execution providers really ran the nodes; null on the CPU, which always runs all. */
  nodes: ProviderShares | null;
}

/** One guard set: `gate` holds the tuned model against the base, or against the first stage where the head is fresh. */
export interface GuardReport {
  name: string;
  queries: number;
  /** As in QualityRow. */
  clusters?: number;
  against: Reference;
  gate: GateResult;
}

/** What the tuned model has to beat: a base that already ranks, else the first stage. */
export type Reference = "base" | "first_stage";

/** Whether the tuned model is worth having, from NDCG@10 on the test split over the same candidates. */
export interface Verdict {
  /** By the sign-flip test at .05: a significant gain, no significant difference, or a significant loss. */
  outcome: "improved" | "no_significant_gain" | "worse";
  against: Reference;
  advice: "take the tuned model" | "keep the base" | "keep the first stage";
  /** All of it in one line, without a full stop; starts with the advice. */
  summary: string;
  /** Tuned minus reference. */
  comparison: PairedComparison;
  slices: SliceReport[];
  guards: GuardReport[];
}

/** What text-embeddings-inference on a GPU changes, approximated in PyTorch: against the tuned model's float32 scores. */
export interface TeiGpuReport {
  /** Of the computation; weights are float16 in any case. `float16` on a GPU alone. */
  arithmetic: "float16" | "float32";
  /** erf-GELUs that became tanh-GELUs. */
  activations_replaced: number;
  /** Whole queries of the test split, and their pairs. */
  queries: number;
  pairs: number;
  /** Scores that are infinite or no number: a weight or activation beyond float16. */
  not_finite: number;
  /** As in VariantReport. */
  relative_error: number | null;
  /** Largest |change| of a logit; null where a score is not finite. */
  largest_change: number | null;
  spearman: number | null;
  top1_flips: number;
  ndcg_difference: NdcgDifference;
}

export interface VerifyOutput {
  /** `failed` when fp32 fails or a required gate fails for a variant that was to be published. */
  outcome: GateOutcome;
  /** Null without the scores of the tuned model in PyTorch, as for a folder alone. */
  verdict: Verdict | null;
  variants: VariantReport[];
  /** Rows of systems that are not variants of the package; null without the pipeline. */
  first_stage: QualityRow | null;
  base: (QualityRow & { pairs_per_second: number | null; bytes: number }) | null;
  tuned: (QualityRow & { pairs_per_second: number | null; bytes: number }) | null;
  /** `ordinary` and `exotic` name the golden pairs whose ids differ (decision 3: only ordinary ones fail). */
  tokenizer: { pairs: number; mismatches: number; ordinary: string[]; exotic: string[] };
  latency: LatencyRow[];
  /** Null for a folder alone, and where the recipe leaves it out. */
  tei_gpu: TeiGpuReport | null;
  machine: { cpu: string; cores: number; flags: string[]; threads: number; onnxruntime: string; node: string };
  /** Variants that may be published. */
  passing: string[];
}
