// The verdict over all folds in words, by the rule of verify. Pure; what it compares is folds-verdict's affair.
import { type ClusteredComparison, inClusters } from "../ranking/clusters.js";
import type { Verdict } from "../stages/verify/schema.js";
import { tunedVerdict } from "../stages/verify/tuned-verdict.js";

/** That of verify, over clusters; guard sets are the affair of the final model. */
export type FoldsVerdict = Omit<Verdict, "comparison" | "guards"> & { comparison: ClusteredComparison };

export function wordVerdict(
  comparison: ClusteredComparison,
  against: Verdict["against"],
  folds: number,
  slices: Verdict["slices"],
): FoldsVerdict {
  const { queries, clusters } = comparison;
  const over = `${queries} queries${inClusters(clusters === queries ? {} : { clusters })}, each tested in one of ${folds} folds`;
  const { outcome, advice, summary } = tunedVerdict(comparison, against, over);
  return { outcome, against, advice, summary, comparison, slices };
}
