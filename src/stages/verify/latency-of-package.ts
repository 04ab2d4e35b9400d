// Opens the variants of a package side by side where memory allows, and lets `latency.ts` measure them.
import type { StageEvent } from "../../events.js";
import type { Scorer } from "../../inference/scorer.js";
import type { QueryPassages } from "../../inference/tokenizer.js";
import { type Contestant, measureLatency } from "./latency.js";
import type { PresentVariant } from "./package-check.js";
import type { LatencyRow, VariantReport } from "./schema.js";
import { teacherVariant } from "./student-speed.js";
import type { Teacher } from "./teacher.js";
import { type Provider, startScorer, type Workload } from "./variant.js";

/** Share of the free memory that open models may take together; beyond it they are measured one after another. */
const MEMORY_SHARE = 0.7;

/** One graph that is to be measured. */
interface Entry {
  variant: string;
  provider: string;
  /** Of the process that runs it. */
  memoryBytes: number;
  start(): Promise<Scorer>;
}

/**
 * Latency of all variants; those that failed so badly that they are not finite are measured too, as speed does not depend on it.
 * @param teacher of a student: its variants of the same names run beside them, on the same requests.
 */
export async function measureAllLatency(
  variants: readonly PresentVariant[],
  reports: readonly VariantReport[],
  work: Workload,
  emit: (event: StageEvent) => void,
  teacher?: Teacher,
): Promise<LatencyRow[]> {
  const entries = reports.flatMap((report) => entriesOf(report, variants, work, teacher));
  const needed = entries.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  const together = needed < process.availableMemory() * MEMORY_SHARE;
  const sets = together ? [entries] : entries.map((entry) => [entry]);
  if (!together)
    emit({
      type: "note",
      message:
        "memory is short: latencies are measured one variant after another, so noise of the machine is not shared",
    });
  const rows: LatencyRow[] = [];
  for (const set of sets) rows.push(...(await measureSet(set, work, set.length / entries.length, emit)));
  return rows;
}

/** A teacher's process needs as much more memory as its file is larger. */
function entriesOf(
  { name, provider, memory_bytes }: VariantReport,
  variants: readonly PresentVariant[],
  work: Workload,
  teacher: Teacher | undefined,
): Entry[] {
  const own = variants.find((candidate) => candidate.name === name) as PresentVariant;
  const start = (variant: PresentVariant, folder: string) => () =>
    startScorer(variant, provider as Provider, { ...work, folder });
  const entry = { variant: name, provider, memoryBytes: memory_bytes, start: start(own, work.folder) };
  const other = teacher?.variants.find((candidate) => candidate.name === name);
  if (teacher === undefined || other === undefined) return [entry];
  const memoryBytes = memory_bytes * Math.max(1, other.bytes / own.bytes);
  return [entry, { variant: teacherVariant(name), provider, memoryBytes, start: start(other, teacher.folder) }];
}

async function measureSet(
  set: readonly Entry[],
  work: Workload,
  share: number,
  emit: (event: StageEvent) => void,
): Promise<LatencyRow[]> {
  const contestants: Contestant[] = [];
  const { latency } = work.options;
  try {
    for (const { variant, provider, start } of set) contestants.push({ variant, provider, scorer: await start() });
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
