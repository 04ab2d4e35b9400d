// What `verify` measured and judged; plain data that survives JSON.
import type { ProviderShares } from "../../inference/provider-shares.js";
import type { StudentOutcome, TunedOutcome } from "../../ranking/outcomes.js";
import type { PairedComparison } from "../../ranking/significance.js";
import type { SliceReport } from "../../ranking/slices.js";

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
  /** Pairs that lie on the other side of the recipe's threshold. */
  threshold_crossings: number | null;
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
  /** By the sign-flip test at .05: a significant gain, no significant difference, or a significant loss. Of a student: whether its interval keeps to the limit. */
  outcome: TunedOutcome | StudentOutcome;
  /** `base` is the teacher of a student. */
  against: Reference;
  advice: "take the tuned model" | "keep the base" | "keep the first stage" | "take the student" | "keep the teacher";
  /** All of it in one line, without a full stop; starts with the advice. */
  summary: string;
  /** Tuned minus reference. */
  comparison: PairedComparison;
  slices: SliceReport[];
  guards: GuardReport[];
  /** Absent where the model is no student. */
  student?: StudentVerdict;
}

/** What a student keeps of its teacher on the test split. */
export interface StudentVerdict {
  kept_layers: number[];
  teacher_layers: number;
  /** Its NDCG@10 over the teacher's, 1 is all of it, with the 95 % interval; null where the teacher ranks nothing right. */
  share: number | null;
  share_interval: [number, number] | null;
  gate: GateResult;
}

/** The other side of the bargain; measured, so it is no part of verdict.json. */
export interface StudentSpeed {
  /** Median latency on the same requests, taken in turns; none where the teacher's folder holds no ONNX files of ours. */
  latency: {
    variant: string;
    provider: string;
    candidates: number;
    teacher_p50_ms: number;
    student_p50_ms: number;
    /** Teacher over student: 2 is twice as fast. */
    times: number;
  }[];
  /** Pairs a second in PyTorch (fp32) while training scored the test split, student over teacher; null where not recorded. */
  pytorch_times: number | null;
  /** In one line, without a full stop. */
  summary: string;
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
  /** Of a student also its teacher's, as `teacher fp32` and `teacher int8`. */
  latency: LatencyRow[];
  /** Null for a folder alone, and where the recipe leaves it out. */
  tei_gpu: TeiGpuReport | null;
  /** Absent where the model is no student. */
  student?: StudentSpeed;
  machine: { cpu: string; cores: number; flags: string[]; threads: number; onnxruntime: string; node: string };
  /** Variants that may be published. */
  passing: string[];
}
