// Gates that need more than one variant: speed-up, latency limit, and what a failed fp32 graph means for the others.
import { atLeast, atMost, worst } from "./gates.js";
import type { GateResult, LatencyRow, VariantReport, VerifyOptions } from "./schema.js";

/** Adds the gates in place and judges the variants again. */
export function addLateGates(
  reports: readonly VariantReport[],
  latency: readonly LatencyRow[],
  options: VerifyOptions,
): void {
  addSpeedupGate(reports, latency, options);
  addLatencyGate(reports, latency, options);
  const reference = reports.filter(({ name }) => name === "fp32");
  for (const report of reports) {
    report.outcome = worst(report.gates.map(({ outcome }) => outcome));
  }
  if (!reference.some(({ outcome }) => outcome === "failed")) return;
  for (const report of reports.filter(({ name }) => name !== "fp32"))
    add(report, {
      gate: "fp32",
      outcome: "failed",
      measured: null,
      limit: 0,
      detail: "the fp32 graph, which everything is derived from, failed its gates",
    });
}

/** Variants that failed on no provider. */
export function passingVariants(reports: readonly VariantReport[]): string[] {
  const failed = new Set(reports.filter(({ outcome }) => outcome === "failed").map(({ name }) => name));
  return [...new Set(reports.map(({ name }) => name))].filter((name) => !failed.has(name));
}

function addSpeedupGate(
  reports: readonly VariantReport[],
  latency: readonly LatencyRow[],
  options: VerifyOptions,
): void {
  const limit = options.gates.min_speedup;
  if (limit === undefined) return;
  for (const report of reports.filter(({ name }) => name === "int8")) {
    const fp32 = reports.find(({ name, provider }) => name === "fp32" && provider === report.provider);
    const count = options.latency.gate_candidates;
    const [slow, fast] = [medianAt(latency, fp32, count), medianAt(latency, report, count)];
    const interleaved = slow !== undefined && fast !== undefined;
    const ratio = interleaved
      ? slow / fast
      : (report.pairs_per_second ?? Number.NaN) / (fp32?.pairs_per_second ?? Number.NaN);
    add(
      report,
      atLeast(
        "min_speedup",
        ratio,
        limit,
        interleaved ? `median latency of fp32 over int8 at ${count} candidates` : "pairs per second of int8 over fp32",
      ),
    );
  }
}

/** When even the fastest passing variant is too slow, so are all the others: each carries the failed gate. */
function addLatencyGate(
  reports: readonly VariantReport[],
  latency: readonly LatencyRow[],
  options: VerifyOptions,
): void {
  const limit = options.gates.p95_ms;
  if (limit === undefined) return;
  const count = options.latency.gate_candidates;
  const passing = reports.filter(({ gates }) => worst(gates.map(({ outcome }) => outcome)) !== "failed");
  const measured = passing.map((report) => ({ report, gate: latencyGate(report, latency, count, limit) }));
  const fastest = measured.reduce<(typeof measured)[number] | undefined>(
    (best, item) => (best === undefined || slower(best.gate, item.gate) ? item : best),
    undefined,
  );
  if (fastest === undefined) return;
  if (fastest.gate.outcome === "passed") add(fastest.report, fastest.gate);
  else for (const { report, gate } of measured) add(report, gate);
}

function latencyGate(report: VariantReport, latency: readonly LatencyRow[], count: number, limit: number): GateResult {
  const row = rowAt(latency, report, count);
  const detail =
    row === undefined
      ? `not measured at ${count} candidates within latency.budget_seconds`
      : `95th percentile at ${count} candidates over ${row.samples} samples`;
  return atMost("p95_ms", row?.p95_ms ?? Number.NaN, limit, detail);
}

const slower = (left: GateResult, right: GateResult) =>
  (left.measured ?? Number.POSITIVE_INFINITY) > (right.measured ?? Number.POSITIVE_INFINITY);

function rowAt(
  latency: readonly LatencyRow[],
  report: VariantReport | undefined,
  count: number,
): LatencyRow | undefined {
  return latency.find(
    ({ variant, provider, candidates }) =>
      variant === report?.name && provider === report.provider && candidates === count,
  );
}

const medianAt = (latency: readonly LatencyRow[], report: VariantReport | undefined, count: number) =>
  rowAt(latency, report, count)?.p50_ms;

function add(report: VariantReport, gate: GateResult): void {
  report.gates.push(gate);
  report.outcome = worst([report.outcome, gate.outcome]);
}
