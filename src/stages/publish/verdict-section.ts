// The card's words on the verdict: tuned against its reference, slices, guard sets. Pure; names no file and no source of the data.
import { inClusters } from "../../ranking/clusters.js";
import { probabilityText } from "../../ranking/significance.js";
import type { SliceReport } from "../../ranking/slices.js";
import type { GuardReport, StudentVerdict, Verdict } from "../verify/schema.js";

const FOUND: Record<Verdict["outcome"], string> = {
  improved: "The tuned model is significantly better",
  no_significant_gain: "Published against the verdict: the tuned model is not significantly better",
  worse: "Published against the verdict: the tuned model is significantly worse",
  within_limit: "The student keeps to the allowed loss of",
  inconclusive:
    "Published against the verdict: the test split cannot tell whether the student loses more than the allowed",
  beyond_limit: "Published against the verdict: the student loses more than the allowed",
};

/** Markdown without a heading. */
export function verdictSection(verdict: Verdict): string {
  const parts = [
    verdict.student === undefined ? sentence(verdict) : studentSentence(verdict, verdict.student),
    sliceTable(verdict.slices),
    lostSources(verdict.slices),
    ...verdict.guards.map(guard),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function sentence({ outcome, against, comparison }: Verdict): string {
  const { mean, interval, p_value, exact, wins, ties, losses, cohen_dz, smallest_detectable, queries } = comparison;
  const together = comparison.clusters === undefined ? "" : ` ${RESAMPLED}`;
  const effect = cohen_dz === null ? "" : `; Cohen's dz ${cohen_dz.toFixed(2)}`;
  return `${FOUND[outcome]} than the ${systemName(against)} on the same candidates: NDCG@10 ${points(mean)} points, 95 % interval ${range(interval)}, p ${probabilityText(p_value)} (paired sign-flip test, ${exact ? "exact" : "sampled"}). Of ${queries} test queries${inClusters(comparison)} ${wins} got better, ${ties} stayed and ${losses} got worse${effect}. A true difference of ${(100 * smallest_detectable).toFixed(2)} points would be found four times in five.${together}`;
}

/** No times: they differ from run to run, and a card that did so would make every run another version. They are in the report beside it. */
function studentSentence({ outcome, comparison }: Verdict, student: StudentVerdict): string {
  const { mean, interval, wins, ties, losses, smallest_detectable, queries } = comparison;
  const { kept_layers, teacher_layers, share, share_interval, gate } = student;
  const together = comparison.clusters === undefined ? "" : ` ${RESAMPLED}`;
  const kept =
    share === null || share_interval === null
      ? ""
      : ` It keeps ${(100 * share).toFixed(2)} % of the teacher's NDCG@10 (95 % interval ${share_interval.map((edge) => (100 * edge).toFixed(2)).join(" to ")} %).`;
  return `${FOUND[outcome]} ${(-100 * gate.limit).toFixed(2)} points of NDCG@10 against the teacher it was cut from and taught by.${kept} The difference on the same candidates is ${points(mean)} points, 95 % interval ${range(interval)}; of ${queries} test queries${inClusters(comparison)} ${wins} got better, ${ties} stayed and ${losses} got worse. The smallest loss they could show is ${(100 * smallest_detectable).toFixed(2)} points. It computes ${kept_layers.length} of the teacher's ${teacher_layers} layers (${kept_layers.join(", ")}, counted from 0); how much faster that was on the machine that verified it is in the report beside this version.${together}`;
}

const RESAMPLED =
  "Near-duplicate queries and queries of one group are no independent evidence: each such cluster was resampled as one.";

function sliceTable(slices: readonly SliceReport[]): string {
  const rows = slices
    .filter(({ by }) => by !== "source")
    .map(
      ({ by, name, queries, clusters, mean, interval, p_holm, significant_loss }) =>
        `| ${by.replace("_", " ")}: ${name} | ${queries}${inClusters({ clusters })} | ${points(mean)} | ${range(interval)} | ${p_holm === null ? "–" : probabilityText(p_holm)} | ${significant_loss ? "worse" : ""} |`,
    );
  if (rows.length === 0) return "";
  return [
    "| slice | queries | NDCG@10 | 95 % interval | p (Holm) | |",
    "| --- | ---: | ---: | ---: | ---: | --- |",
    ...rows,
    "",
    `Differences in points; slices of fewer than 30 queries${slices.some(({ clusters }) => clusters !== undefined) ? " or clusters" : ""} have no p-value.`,
  ].join("\n");
}

/** A source's name can be a client's. */
function lostSources(slices: readonly SliceReport[]): string {
  const lost = slices.filter(({ by, significant_loss }) => by === "source" && significant_loss).length;
  if (lost === 0) return "";
  return `Queries of ${lost === 1 ? "one source" : `${lost} sources`} got significantly worse; verify's report names ${lost === 1 ? "it" : "them"}.`;
}

function guard({ queries, clusters, against, gate }: GuardReport, index: number): string {
  const change = gate.measured === null ? "not measured" : `${points(gate.measured)} points`;
  return `Guard set ${index + 1} (${queries} queries${inClusters({ clusters })}, against the ${systemName(against)}): NDCG@10 ${change}, allowed ${points(gate.limit)}: ${gate.outcome}.`;
}

const systemName = (against: Verdict["against"]): string => against.replace("_", " ");
const points = (value: number): string => `${value < 0 ? "" : "+"}${(100 * value).toFixed(2)}`;
const range = ([low, high]: [number, number]): string => `${points(low)} to ${points(high)}`;
