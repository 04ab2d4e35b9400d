// How much faster a student answers than its teacher, from latencies that were measured in turns. Pure computing.
import type { References } from "./references.js";
import type { LatencyRow, StudentSpeed } from "./schema.js";

const TEACHER = "teacher ";

/** Name of a teacher's variant among the rows of latency. */
export const teacherVariant = (variant: string): string => `${TEACHER}${variant}`;

/** @param count candidates of a request that the line tells of; where those were not measured, the most that were. */
export function studentSpeed(rows: readonly LatencyRow[], references: References, count: number): StudentSpeed {
  const latency = rows.flatMap((row) => {
    const teacher = rows.find(
      ({ variant, provider, candidates }) =>
        variant === teacherVariant(row.variant) && provider === row.provider && candidates === row.candidates,
    );
    return teacher === undefined ? [] : [pairOf(row, teacher)];
  });
  const { tuned_pairs_per_second: own, base_pairs_per_second: whole } = references;
  const pytorch_times = own && whole ? own / whole : null;
  return { latency, pytorch_times, summary: summaryOf(latency, pytorch_times, count) };
}

function pairOf(row: LatencyRow, teacher: LatencyRow): StudentSpeed["latency"][number] {
  return {
    variant: row.variant,
    provider: row.provider,
    candidates: row.candidates,
    teacher_p50_ms: teacher.p50_ms,
    student_p50_ms: row.p50_ms,
    times: teacher.p50_ms / row.p50_ms,
  };
}

function summaryOf(latency: StudentSpeed["latency"], pytorch: number | null, count: number): string {
  const counts = latency.map(({ candidates }) => candidates);
  const shown = counts.includes(count) ? count : Math.max(...counts);
  const lines = latency
    .filter(({ candidates }) => candidates === shown)
    .map(
      ({ variant, provider, times, teacher_p50_ms, student_p50_ms }) =>
        `${variant}${provider === "cpu" ? "" : ` on ${provider}`} ${times.toFixed(2)} times as fast as the teacher's (p50 ${student_p50_ms.toFixed(1)} ms, teacher ${teacher_p50_ms.toFixed(1)} ms)`,
    );
  if (lines.length > 0) return `${lines.join(", ")} at ${shown} candidates`;
  return pytorch === null
    ? "not measured beside the teacher"
    : `${pytorch.toFixed(2)} times as many pairs a second as the teacher in PyTorch, fp32`;
}
