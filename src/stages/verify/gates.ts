// Limits against measurements. Decides and words outcomes; measures nothing.
import { inClusters } from "../../ranking/clusters.js";
import type { GateOutcome, GateResult, NdcgDifference } from "./schema.js";

/** A gate that passes at or below `limit`. A measurement that is not a number fails. */
export function atMost(gate: string, measured: number, limit: number, detail: string): GateResult {
  return judge(gate, measured, limit, measured - limit, detail);
}

/** A gate that passes at or above `limit`. */
export function atLeast(gate: string, measured: number, limit: number, detail: string): GateResult {
  return judge(gate, measured, limit, limit - measured, detail);
}

/**
 * Non-inferiority of NDCG@10 (gate `ndcg_max_drop`, unless named otherwise): passes when the whole 95 % interval of the difference lies above `-maxDrop`, fails when it lies
 * below, else the split is too small to tell. One cluster of queries has no interval, whatever its resampling gives.
 */
export function notWorse(
  difference: NdcgDifference,
  maxDrop: number,
  queries: number,
  gate = "ndcg_max_drop",
): GateResult {
  const [low, high] = difference.interval;
  const tells = difference.clusters !== 1;
  const outcome: GateOutcome =
    tells && low >= -maxDrop ? "passed" : tells && high < -maxDrop ? "failed" : "inconclusive";
  const detail = `NDCG@10 ${signed(difference.mean)} [${signed(low)}, ${signed(high)}] over ${queries} queries${inClusters(difference)}; the smallest loss they could show is ${difference.smallest_detectable.toFixed(4)}`;
  const missed = outcome === "failed" ? { missed_by: -maxDrop - difference.mean } : {};
  return { gate, outcome, measured: difference.mean, limit: -maxDrop, ...missed, detail };
}

/** The worst outcome of several; an empty list passes. */
export function worst(outcomes: Iterable<GateOutcome>): GateOutcome {
  const all = new Set(outcomes);
  return all.has("failed") ? "failed" : all.has("inconclusive") ? "inconclusive" : "passed";
}

/** A gate as one line: `fp32 batch_invariance failed: measured 0.002, limit 0.00001`. */
export function gateLine(variant: string, gate: GateResult): string {
  const missed = gate.missed_by === undefined ? "" : `, missed by ${round(gate.missed_by)}`;
  return `${variant} ${gate.gate} ${gate.outcome}: measured ${gate.measured === null ? "nothing finite" : round(gate.measured)}, limit ${round(gate.limit)}${missed} (${gate.detail})`;
}

function judge(gate: string, measured: number, limit: number, excess: number, detail: string): GateResult {
  if (!Number.isFinite(measured)) return { gate, outcome: "failed", measured: null, limit, detail };
  if (excess <= 0) return { gate, outcome: "passed", measured, limit, detail };
  return { gate, outcome: "failed", measured, limit, missed_by: excess, detail };
}

/** A difference with its sign and four decimals. */
export const signed = (value: number) => `${value < 0 ? "" : "+"}${value.toFixed(4)}`;
const round = (value: number) => String(Number(value.toPrecision(4)));
