// The card's words on the verdict: tuned against its reference, slices, guard sets. Pure; names no file and no source of the data.
import { inClusters } from "../../ranking/clusters.js";
import { probabilityText } from "../../ranking/significance.js";
import type { SliceReport } from "../../ranking/slices.js";
import type { GuardReport, Verdict } from "../verify/schema.js";

const FOUND: Record<Verdict["outcome"], string> = {
  improved: "The tuned model is significantly better",
  no_significant_gain: "Published against the verdict: the tuned model is not significantly better",
  worse: "Published against the verdict: the tuned model is significantly worse",
};

/** Markdown without a heading. */
export function verdictSection(verdict: Verdict): string {
  const parts = [
    sentence(verdict),
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
