// What the training report shows, as plain data: numbers, names and query ids. No field may ever hold a text of the user's.
import type { ProviderShares } from "../inference/provider-shares.js";
import type { Calibration } from "../ranking/calibration.js";
import type { PairedComparison } from "../ranking/significance.js";
import type { OpenvinoRuntime, TeiRuntime, TriedInt8 } from "../stages/quantize/schema.js";
import type {
  GateOutcome,
  LatencyRow,
  QualityRow,
  Reference,
  TeiGpuReport,
  Verdict,
  VerifyOutput,
} from "../stages/verify/schema.js";
import type { TrimReport } from "../trim/schema.js";

/** A part that cannot be shown, and why, in one sentence. */
export interface Missing {
  missing: string;
}
export type Part<Content> = Content | Missing;

export function isMissing<Content>(part: Part<Content>): part is Missing {
  return typeof part === "object" && part !== null && "missing" in part;
}

/** One line of history.jsonl. NDCG@10 is 0-1 on the evaluation subset of dev; null where nothing was measured at the step. */
export interface TrainingRow {
  step: number;
  loss: number | null;
  learning_rate: number | null;
  gradient_norm: number | null;
  dev_ndcg: number | null;
}

/** One mixture of the tuned weights with the base's. NDCG@10 is 0-1; `guards` in the order of verify's guard sets. */
export interface Mixture {
  /** Share of the tuned weights; 0 is the base, 1 the tuned model. */
  alpha: number;
  dev_ndcg: number;
  guards: number[];
  /** False where a guard set lost more than was allowed, so that the mixture could not be chosen. */
  within_guards: boolean;
}

/** All that was measured when base and tuned weights were mixed, the base first. */
export interface Sweep {
  /** Queries of dev that chose. */
  queries: number;
  /** NDCG@10 that a guard set may lose against the base, 0-1. */
  guard_max_drop: number;
  mixtures: Mixture[];
  chosen_alpha: number;
}

/** Values are dev NDCG@10, 0-1; null for a seed that collapsed. */
export interface SeedSpread {
  runs: { seed: number; dev_ndcg: number | null }[];
  best_seed: number;
  /** Seeds whose weights were averaged; empty where there were not two to average. */
  averaged: number[];
  kept: "average" | "seed";
}

export interface Training {
  rows: TrainingRow[];
  steps: number;
  /** The step whose weights were kept; 0 is the base as it was. */
  best_step: number;
  ended: string;
  parameters: number;
  device: string;
  precision: string;
  base_is_reranker: boolean;
  /** Of a student, which begins as the teacher without some of its layers; null for any other model. */
  student: { layers: number } | null;
  /** Share of the tuned weights in the mixture with the base's (0 is the base), and its dev NDCG@10; null where nothing was mixed. */
  interpolation: { alpha: number; dev_ndcg: number } | null;
  /** Every mixture that was tried; null where nothing was mixed or the record is not there. */
  sweep: Sweep | null;
  /** Where several seeds were trained, what each reached; the rows above are then those of the best one. */
  seeds: SeedSpread | null;
  /** Seconds of optimizer steps, tokens a second, bytes; null where the record is not there. */
  seconds: number | null;
  tokens_per_second: number | null;
  memory_bytes: number | null;
}

/** One row of the table of quality; metrics 0-1, null where nothing was measured. */
export interface QualityLine {
  name: "first_stage" | "base" | "tuned" | "fp32" | "int8" | "fp16";
  quality: QualityRow | null;
  pairs_per_second: number | null;
  bytes: number | null;
  outcome: GateOutcome | null;
}

/** NDCG@10 of the tuned model minus that of its reference, test query by test query. */
export interface Gains {
  against: Reference;
  comparison: PairedComparison;
  /** Largest gain first; 0-1. */
  queries: { id: string; gain: number }[];
}

/** Raw logits of one system on all candidates of the test split. */
export interface SystemScores {
  system: "base" | "tuned";
  /** Scores of passages with a label above 0. */
  relevant: number[];
  other: number[];
}

/** A calibration of scores: `after = a * before + b`, with a above 0. */
export interface Affine {
  a: number;
  b: number;
}

/** sigmoid(score) as a probability of relevance. */
export interface Reliability {
  system: "base" | "tuned" | "tuned, before calibration" | "tuned, after calibration";
  calibration: Calibration;
}

/** A share with its 95 % Wilson interval, 0-1; null over nothing. */
export type Share = { value: number; interval: [number, number] } | null;

/** What is left when passages below a probability of relevance are dropped. */
export interface ThresholdRow {
  /** Passages with sigmoid(score) from here on are kept. */
  threshold: number;
  kept: number;
  relevant_kept: number;
  /** Relevant passages among those kept. */
  precision: Share;
  /** Those kept among the relevant candidates; what the first stage missed is not counted. */
  recall: Share;
}

export interface Thresholds {
  calibrated: boolean;
  /** Candidates of the test split, and the relevant ones among them. */
  pairs: number;
  relevant: number;
  rows: ThresholdRow[];
}

export interface Latency {
  rows: LatencyRow[];
  machine: VerifyOutput["machine"];
  /** What ran the nodes of each variant that was measured on another device than the CPU. */
  nodes: { variant: string; provider: string; nodes: ProviderShares }[];
}

/** One finished stage that led to these results. */
export interface StageRecord {
  name: string;
  started: string;
  seconds: number;
  /** sha256, hex. */
  key: string;
  digest: string;
}

/** Counts of the data that prepare split. */
export interface DataCounts {
  queries: { train: number; dev: number; test: number };
  pairs: { train: number; dev: number; test: number };
  first_stage: string | null;
}

/** An int8 graph that quantize tried. */
export interface MeasuredRung extends Omit<TriedInt8, "forms"> {
  /** As TriedInt8 has them, from cheap to dear. */
  forms: Record<string, number>;
  /** Median time of one pair alone in ONNX Runtime; null where it was not kept. */
  milliseconds: number | null;
}

/** The fp32 graph in OpenVINO. */
export interface MeasuredOpenvino {
  version: string;
  /** `milliseconds`: median time of one pair alone, as of the int8 graphs; null where it was not kept. */
  rows: (OpenvinoRuntime["rows"][number] & { milliseconds: number | null })[];
}

export interface Making {
  /** `builtin:<name>`, `hub:<repository>@<commit>` or `local:<folder name>`; null when the manifest does not say. */
  base: string | null;
  data: DataCounts | null;
  stages: StageRecord[];
  /** What left the base's vocabulary before training; null where it was not trimmed. */
  trim: TrimReport | null;
  /** The int8 graphs that quantize measured, in their order; empty without int8 or for an artifact of an older version. */
  int8: MeasuredRung[];
  /** All graphs in the ONNX Runtime that TEI embeds; null where it was not there. */
  tei_runtime: TeiRuntime | null;
  /** Null where the recipe did not ask for it. */
  openvino: MeasuredOpenvino | null;
  /** Options of the recipe as `section.field`, paths left out. */
  options: [name: string, value: string][];
  /** Names and versions or digests. */
  tools: [name: string, value: string][];
  host: string;
}

/** A gate of a variant that did not pass. */
export interface OpenGate {
  subject: string;
  gate: string;
  outcome: GateOutcome;
  measured: number | null;
  limit: number;
}

export interface ReportData {
  recipe: string;
  training: Part<Training>;
  verdict: Part<Verdict>;
  quality: Part<QualityLine[]>;
  /** Empty when every gate passed. */
  open_gates: OpenGate[];
  gains: Part<Gains>;
  scores: Part<{ base: Part<SystemScores>; tuned: SystemScores }>;
  reliability: Part<Reliability[]>;
  thresholds: Part<Thresholds>;
  latency: Part<Latency>;
  /** Null where verify did not score it. */
  tei_gpu: TeiGpuReport | null;
  making: Making;
}
