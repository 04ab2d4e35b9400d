// The verdict on a student: how much of its teacher's quality it keeps, and whether it loses more than the recipe allows. Pure computing.
import { inClusters } from "../../ranking/clusters.js";
import type { StudentOutcome } from "../../ranking/outcomes.js";
import { shareKept } from "../../ranking/share.js";
import type { PairedComparison } from "../../ranking/significance.js";
import { notWorse, signed } from "./gates.js";
import type { GateOutcome, StudentVerdict, Verdict } from "./schema.js";

export interface StudentRequest {
  kept_layers: number[];
  teacher_layers: number;
  /** NDCG@10 that it may lose, 0-1. */
  maxDrop: number;
}

const OUTCOMES: Record<GateOutcome, StudentOutcome> = {
  passed: "within_limit",
  inconclusive: "inconclusive",
  failed: "beyond_limit",
};

/**
 * Non-inferiority (training.md §6): the whole 95 % interval of the difference must lie above the allowed loss. The burden of proof is
 * the student's: a split that cannot tell does not let it pass.
 * @param own NDCG@10 of the student, query by query, and `teacher` in the same order; `comparison` is of their difference.
 */
export function judgeStudent(
  { kept_layers, teacher_layers, maxDrop }: StudentRequest,
  own: Float64Array,
  teacher: Float64Array,
  clusterOf: readonly number[],
  comparison: PairedComparison,
): Pick<Verdict, "outcome" | "advice" | "summary"> & { student: StudentVerdict } {
  const gate = notWorse(comparison, maxDrop, comparison.queries, "student_max_drop");
  const kept = shareKept(own, teacher, clusterOf);
  const outcome = OUTCOMES[gate.outcome];
  const advice = outcome === "within_limit" ? "take the student" : "keep the teacher";
  const student = {
    kept_layers,
    teacher_layers,
    share: kept?.share ?? null,
    share_interval: kept?.interval ?? null,
    gate,
  };
  return { outcome, advice, summary: `${advice}: ${summaryOf(student, comparison, outcome)}`, student };
}

const FOUND: Record<StudentOutcome, string> = {
  within_limit: "within the allowed loss of",
  inconclusive: "too few test queries to tell whether it loses more than the allowed",
  beyond_limit: "it loses more than the allowed",
};

function summaryOf(student: StudentVerdict, comparison: PairedComparison, outcome: StudentOutcome): string {
  const { mean, interval, queries, wins, ties, losses, smallest_detectable } = comparison;
  const { kept_layers, teacher_layers, gate } = student;
  const layers = `with ${kept_layers.length} of ${teacher_layers} layers`;
  const difference = `NDCG@10 ${signed(mean)} [${signed(interval[0])}, ${signed(interval[1])}] against the teacher over ${queries} test queries${inClusters(comparison)}`;
  const counts = `${wins} better, ${ties} equal, ${losses} worse`;
  return `${FOUND[outcome]} ${(-gate.limit).toFixed(4)}; ${layers} it keeps ${shareText(student)}, ${difference}; ${counts}; the smallest loss they could show is ${smallest_detectable.toFixed(4)}`;
}

/** `97.31 % [95.20, 99.10] of the teacher's NDCG@10`. */
export function shareText({ share, share_interval }: StudentVerdict): string {
  if (share === null || share_interval === null) return "no measurable share of the teacher's NDCG@10";
  const [low, high] = share_interval;
  return `${percent(share)} % [${percent(low)}, ${percent(high)}] of the teacher's NDCG@10`;
}

const percent = (value: number): string => (100 * value).toFixed(2);
