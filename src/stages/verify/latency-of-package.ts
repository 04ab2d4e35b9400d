// Opens the variants of a package side by side where memory allows, and lets `latency.ts` measure them.

import type { QueryPassages } from "../../inference/tokenizer.js";
import type { StageEvent } from "../../pipeline/stage.js";
import { type Contestant, measureLatency } from "./latency.js";
import type { PresentVariant } from "./package-check.js";
import type { LatencyRow, VariantReport } from "./schema.js";
import { type Provider, startScorer, type Workload } from "./variant.js";

/** Share of the free memory that open models may take together; beyond it they are measured one after another. */
const MEMORY_SHARE = 0.7;

/** Latency of all variants; those that failed so badly that they are not finite are measured too, as speed does not depend on it. */
export async function measureAllLatency(
  variants: readonly PresentVariant[],
  reports: readonly VariantReport[],
  work: Workload,
  emit: (event: StageEvent) => void,
): Promise<LatencyRow[]> {
  const needed = reports.reduce((sum, { memory_bytes }) => sum + memory_bytes, 0);
  const together = needed < process.availableMemory() * MEMORY_SHARE;
  const sets = together ? [reports] : reports.map((report) => [report]);
  if (!together)
    emit({
      type: "note",
      message:
        "memory is short: latencies are measured one variant after another, so noise of the machine is not shared",
    });
  const rows: LatencyRow[] = [];
  for (const set of sets) rows.push(...(await measureSet(set, variants, work, set.length / reports.length, emit)));
  return rows;
}

async function measureSet(
  set: readonly VariantReport[],
  variants: readonly PresentVariant[],
  work: Workload,
  share: number,
  emit: (event: StageEvent) => void,
): Promise<LatencyRow[]> {
  const contestants: Contestant[] = [];
  const { latency } = work.options;
  try {
    for (const { name, provider } of set) {
      const variant = variants.find((candidate) => candidate.name === name) as PresentVariant;
      contestants.push({ variant: name, provider, scorer: await startScorer(variant, provider as Provider, work) });
    }
    const { rows, leftOut } = await measureLatency(contestants, requestTexts(work), {
      candidates: latency.candidates,
      budgetMs: latency.budget_seconds * 1000 * share,
      signal: work.signal,
      onProgress: (completed, total) =>
        emit({ type: "progress", completed: completed / 1000, total: total / 1000, unit: "seconds" }),
    });
    if (leftOut.length > 0)
      emit({
        type: "note",
        message: `no latency within the budget for ${leftOut.join(", ")}; raise verify.latency.budget_seconds`,
      });
    return rows;
  } finally {
    await Promise.all(contestants.map(({ scorer }) => scorer.close()));
  }
}

/** Test groups, or the golden pairs when there are none. */
function requestTexts(work: Workload): QueryPassages[] {
  const groups = work.groups.filter(({ passages }) => passages.length > 0);
  if (groups.length > 0)
    return groups.map(({ query, passages }) => ({ query, passages: passages.map(({ text }) => text) }));
  return work.golden.pairs.map(({ query, passage }) => ({ query, passages: [passage] }));
}
