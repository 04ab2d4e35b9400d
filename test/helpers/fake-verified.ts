// What verify could have measured: plain numbers for tests that publish.
import type { GateOutcome, VariantReport, Verdict, VerifyOutput } from "../../src/stages/verify/schema.js";

export const QUALITY = {
  "ndcg@10": 0.5,
  "ndcg@10_interval": [0.4, 0.6] as [number, number],
  "mrr@10": 0.45,
  "recall@5": 0.7,
  queries: 2,
};

export function variant(name: VariantReport["name"], outcome: GateOutcome): VariantReport {
  const gate = {
    gate: "ndcg_max_drop",
    outcome,
    measured: 0.02,
    limit: 0.005,
    ...(outcome === "failed" ? { missed_by: 0.015 } : {}),
    detail: "",
  };
  const difference = { mean: -0.01, interval: [-0.02, 0] as [number, number], smallest_detectable: 0.03 };
  return {
    name,
    provider: "cpu",
    outcome,
    gates: [gate, { gate: "p95_ms", outcome: "passed", measured: 12.3, limit: 40, detail: "" }],
    quality: QUALITY,
    ndcg_difference: difference,
    spearman: 1,
    top1_flips: 0,
    threshold_crossings: 0,
    relative_error: 0,
    pairs_per_second: 99.5,
    bytes: 4,
    cold_start_ms: 5,
    memory_bytes: 6,
    nodes: null,
  };
}

export function verdict(outcome: Verdict["outcome"], changes: Partial<Verdict> = {}): Verdict {
  const slice = {
    queries: 40,
    mean: -0.05,
    interval: [-0.08, -0.02] as [number, number],
    p_value: 0.001,
    p_holm: 0.002,
  };
  return {
    outcome,
    against: "base",
    advice: outcome === "improved" ? "take the tuned model" : "keep the base",
    summary: `summary of ${outcome}`,
    comparison: {
      queries: 200,
      mean: 0.065,
      interval: [0.021, 0.109],
      p_value: 0.0041,
      exact: false,
      wins: 71,
      ties: 92,
      losses: 37,
      cohen_dz: 0.18,
      smallest_detectable: 0.059,
    },
    slices: [
      { by: "language", name: "en", significant_loss: true, ...slice },
      { by: "source", name: "Client Ltd", significant_loss: true, ...slice },
    ],
    guards: [],
    ...changes,
  };
}

export function verified(outcomes: Partial<Record<VariantReport["name"], GateOutcome>> = {}): VerifyOutput {
  const variants = (["fp32", "int8", "fp16"] as const).map((name) => variant(name, outcomes[name] ?? "passed"));
  const passing = variants.filter(({ outcome }) => outcome !== "failed").map(({ name }) => name);
  const machine = { cpu: "cpu", cores: 2, flags: [], threads: 2, onnxruntime: "1.30.0", node: "20" };
  return {
    outcome: "passed",
    verdict: verdict("improved"),
    variants,
    first_stage: QUALITY,
    base: null,
    tuned: { ...QUALITY, pairs_per_second: 50, bytes: 7 },
    tokenizer: { pairs: 44, mismatches: 1, ordinary: [], exotic: ["probe"] },
    tei_gpu: null,
    latency: [],
    machine,
    passing,
  };
}
