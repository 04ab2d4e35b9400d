// The part of the findings that a version depends on: outcomes and quality, no timings. Its bytes repeat when the findings do.
import { canonicalJson } from "../../artifacts/hash.js";
import type { GateResult, VariantReport, VerifyOutput } from "./schema.js";

/** Gates whose measurement is a time: their outcome counts, their figure would differ on every run. */
const TIMED_GATES = new Set(["min_speedup", "p95_ms"]);

/** JSON text of verdict.json: the verdict on the tuned model and the outcome of every gate. */
export function verdictText(output: VerifyOutput): string {
  const { outcome, verdict, passing, tokenizer, first_stage } = output;
  const body = {
    schema: 1,
    outcome,
    verdict,
    passing,
    tokenizer,
    first_stage,
    base: withoutSpeed(output.base),
    tuned: withoutSpeed(output.tuned),
    variants: output.variants.map(variantVerdict),
  };
  return `${canonicalJson(body)}\n`;
}

function variantVerdict(report: VariantReport) {
  const {
    name,
    provider,
    outcome,
    gates,
    quality,
    ndcg_difference,
    spearman,
    top1_flips,
    threshold_crossings,
    relative_error,
    bytes,
  } = report;
  return {
    name,
    provider,
    outcome,
    gates: gates.map(gateVerdict),
    quality,
    ndcg_difference,
    spearman,
    top1_flips,
    threshold_crossings,
    relative_error,
    bytes,
  };
}

function gateVerdict(gate: GateResult): Partial<GateResult> {
  return TIMED_GATES.has(gate.gate) ? { gate: gate.gate, outcome: gate.outcome, limit: gate.limit } : gate;
}

function withoutSpeed<Row extends { pairs_per_second: number | null }>(
  row: Row | null,
): Omit<Row, "pairs_per_second"> | null {
  if (row === null) return null;
  const { pairs_per_second: _, ...rest } = row;
  return rest;
}
