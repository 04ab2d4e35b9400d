// Report data with hand-worked numbers, for the tests of the page.
import type { PairedComparison } from "../../../src/ranking/significance.js";
import type { ReportData } from "../../../src/report/data.js";
import type { QualityRow, Verdict } from "../../../src/stages/verify/schema.js";

const RUNG = { forms: { static: 40, smoothed: 5, token: 3, block: 0, float32: 0 }, cost: 0 };

export const comparison: PairedComparison = {
  mean: 0.065,
  interval: [0.01, 0.12],
  p_value: 0.012,
  exact: false,
  queries: 4,
  wins: 2,
  ties: 1,
  losses: 1,
  cohen_dz: 0.4,
  smallest_detectable: 0.07914,
};

export const verdict: Verdict = {
  outcome: "improved",
  against: "first_stage",
  advice: "take the tuned model",
  summary: "take the tuned model: a significant gain",
  comparison,
  slices: [
    {
      by: "language",
      name: "de",
      queries: 40,
      mean: -0.0312,
      interval: [-0.05, -0.01],
      p_value: 0.001,
      p_holm: 0.002,
      significant_loss: true,
    },
    {
      by: "language",
      name: "fr",
      queries: 12,
      mean: 0.08,
      interval: [0, 0.2],
      p_value: null,
      p_holm: null,
      significant_loss: false,
    },
  ],
  guards: [],
};

const row = (ndcg: number): QualityRow => ({
  "ndcg@10": ndcg,
  "ndcg@10_interval": [ndcg - 0.05, ndcg + 0.05],
  "mrr@10": 0.3,
  "recall@5": 0.5,
  queries: 200,
});

export const reportData: ReportData = {
  recipe: "minilm-l6-tickets-ce",
  training: {
    rows: [
      { step: 0, loss: null, learning_rate: null, gradient_norm: null, dev_ndcg: 0.2 },
      { step: 50, loss: 2, learning_rate: 2e-5, gradient_norm: 3, dev_ndcg: 0.4 },
      { step: 100, loss: 1, learning_rate: 1e-5, gradient_norm: 5, dev_ndcg: 0.3 },
    ],
    steps: 100,
    best_step: 50,
    ended: "early_stop",
    parameters: 22_713_601,
    device: "cpu",
    precision: "bf16",
    base_is_reranker: false,
    student: null,
    interpolation: null,
    seeds: null,
    sweep: {
      queries: 300,
      guard_max_drop: 0.01,
      mixtures: [
        { alpha: 0, dev_ndcg: 0.2, guards: [0.5], within_guards: true },
        { alpha: 0.5, dev_ndcg: 0.35, guards: [0.495], within_guards: true },
        { alpha: 1, dev_ndcg: 0.4, guards: [0.43], within_guards: false },
      ],
      chosen_alpha: 0.5,
    },
    seconds: 205.4,
    tokens_per_second: 5959.4,
    memory_bytes: 2_582_925_312,
  },
  verdict,
  quality: [
    { name: "first_stage", quality: row(0.36), pairs_per_second: null, bytes: null, outcome: null },
    { name: "tuned", quality: row(0.425), pairs_per_second: 279.3, bytes: 90_866_412, outcome: null },
    {
      name: "int8",
      quality: { ...row(0.428), queries: 150 },
      pairs_per_second: 847.4,
      bytes: 35_342_763,
      outcome: "passed",
    },
  ],
  open_gates: [],
  gains: {
    against: "first_stage",
    comparison,
    queries: [
      { id: "q1", gain: 0.5 },
      { id: "q2", gain: 0.25 },
      { id: "q3", gain: 0 },
      { id: "q4", gain: -1 },
    ],
  },
  scores: {
    base: { missing: "The base has no scores." },
    tuned: { system: "tuned", relevant: [1, 2], other: [-2, -1, -1, 0] },
  },
  reliability: [
    {
      system: "tuned",
      calibration: {
        pairs: 20,
        relevant: 6,
        ece: 0.1234,
        brier: 0.2345,
        bins: [
          { from: 0.1, to: 0.3, pairs: 10, predicted: 0.2, observed: 0.1, interval: [0.0179, 0.4042] },
          { from: 0.7, to: 0.9, pairs: 10, predicted: 0.8, observed: 0.5, interval: [0.2366, 0.7634] },
        ],
      },
    },
  ],
  thresholds: {
    calibrated: false,
    pairs: 20,
    relevant: 6,
    rows: [
      {
        threshold: 0.5,
        kept: 8,
        relevant_kept: 6,
        precision: { value: 0.75, interval: [0.4093, 0.9285] },
        recall: { value: 1, interval: [0.6097, 1] },
      },
      { threshold: 0.9, kept: 0, relevant_kept: 0, precision: null, recall: { value: 0, interval: [0, 0.3903] } },
    ],
  },
  tei_gpu: {
    arithmetic: "float32",
    activations_replaced: 12,
    queries: 7,
    pairs: 700,
    not_finite: 0,
    relative_error: 0.0123,
    largest_change: 0.2,
    spearman: 0.999,
    top1_flips: 3,
    ndcg_difference: { mean: -0.0011, interval: [-0.004, 0.002], smallest_detectable: 0.01 },
  },
  latency: {
    rows: [
      {
        variant: "int8",
        provider: "cpu",
        candidates: 50,
        tokens_per_pair: 36.6,
        samples: 17,
        p50_ms: 97.1,
        p95_ms: 124.2,
        p99_ms: null,
      },
    ],
    nodes: [
      {
        variant: "fp16",
        provider: "cuda",
        nodes: { nodes: 50, shares: { CUDAExecutionProvider: 0.98, CPUExecutionProvider: 0.02 } },
      },
    ],
    machine: { cpu: "Some CPU", cores: 2, flags: [], threads: 2, onnxruntime: "1.30.0", node: "20.20.2" },
  },
  making: {
    base: "builtin:all-minilm-l6-v2",
    data: null,
    stages: [
      {
        name: "train",
        started: "2026-11-21T14:04:21.849Z",
        seconds: 250.19,
        key: "d010d921a633ffff",
        digest: "a000c73f12ef80b3",
      },
    ],
    trim: null,
    int8: [
      { ...RUNG, tables: "fp16", error: 0.048, bytes: 55_600_000, kept: false, milliseconds: 12.34 },
      { ...RUNG, tables: "int8", error: 0.049, bytes: 39_400_000, kept: true, milliseconds: null },
    ],
    openvino: {
      version: "2026.4.1",
      rows: [{ precision: "bf16", relative_error: 0.0137, moved_by_batch: 0.01496, milliseconds: 115.72 }],
    },
    tei_runtime: { version: "1.22.1", graphs: [{ name: "int8", relative_error: 0.0456, largest_difference: 0.0123 }] },
    options: [["train.learning_rate", "0.0002"]],
    tools: [["rerank_tune", "0.1.0"]],
    host: "Some CPU, 2 cores",
  },
};
