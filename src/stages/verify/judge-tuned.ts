// The verdict: whether the tuned model is worth having instead of the base, or of the first stage where the head is fresh. Pure computing.
import { clustersOfGroups, type Group } from "../../dataset/groups.js";
import { differences } from "../../ranking/bootstrap.js";
import { clustersField, compareQueries, inClusters } from "../../ranking/clusters.js";
import type { Scores } from "../../ranking/scores.js";
import { probabilityText } from "../../ranking/significance.js";
import { type SliceReport, sliceReports, slicesOf } from "../../ranking/slices.js";
import { notWorse, signed } from "./gates.js";
import { judgeStudent, type StudentRequest } from "./judge-student.js";
import { firstStageQuery, ndcgDifference, ndcgPerQuery, rankedQueries } from "./quality.js";
import type { Guard } from "./references.js";
import type { GuardReport, Reference, Verdict } from "./schema.js";
import { tunedVerdict } from "./tuned-verdict.js";

export interface TunedRequest {
  /** Test groups. */
  groups: readonly Group[];
  tuned: Scores;
  /** Undefined where the base was no reranker. */
  base: Scores | undefined;
  guards: readonly Guard[];
  /** NDCG@10, 0-1. */
  guardMaxDrop: number;
  /** Given where the model is a student of the base: then it has to keep, not to win. */
  student?: StudentRequest;
}

/**
 * Holds the tuned model against its reference on the test split; the rule is tuned-verdict's. Queries of one cluster are not
 * independent: test, intervals and slices take it as one.
 * @throws RerankTuneError DATA_INVALID when a candidate has no score.
 */
export function judgeTuned({ groups, tuned, base, guards, guardMaxDrop, student }: TunedRequest): Verdict {
  const against: Reference = base === undefined ? "first_stage" : "base";
  const own = ndcgPerQuery(rankedQueries(groups, tuned));
  const other = ndcgPerQuery(referenceQueries(groups, base));
  const clusterOf = clustersOfGroups(groups);
  const comparison = compareQueries(own, other, clusterOf);
  const rest = {
    against,
    comparison,
    slices: sliceReports(slicesOf(groups), differences(own, other), clusterOf),
    guards: guards.map((guard) => judgeGuard(guard, guardMaxDrop)),
  };
  if (student !== undefined) return { ...rest, ...judgeStudent(student, own, other, clusterOf, comparison) };
  const over = `${comparison.queries} test queries${inClusters(comparison)}`;
  return { ...tunedVerdict(comparison, against, over), ...rest };
}

function judgeGuard({ name, groups, tuned, base }: Guard, maxDrop: number): GuardReport {
  const clusterOf = clustersOfGroups(groups);
  const difference = ndcgDifference(rankedQueries(groups, tuned), referenceQueries(groups, base), clusterOf);
  const against = base === undefined ? "first_stage" : "base";
  return {
    name,
    queries: groups.length,
    ...clustersField(clusterOf),
    against,
    gate: notWorse(difference, maxDrop, groups.length, "guard_max_drop"),
  };
}

const referenceQueries = (groups: readonly Group[], base: Scores | undefined) =>
  base === undefined ? groups.map(firstStageQuery) : rankedQueries(groups, base);

/** A slice that lost, as one line; its name is the data's own word for it. */
export function sliceLine(slice: SliceReport): string {
  const { by, name, mean, interval, queries, p_holm } = slice;
  const [low, high] = interval;
  const tested = p_holm === null ? "" : `, p ${probabilityText(p_holm)} after Holm's correction`;
  return `worse for ${words(by)} ${name}: NDCG@10 ${signed(mean)} [${signed(low)}, ${signed(high)}] over ${queries} queries${inClusters(slice)}${tested}`;
}

const words = (name: string): string => name.replaceAll("_", " ");
