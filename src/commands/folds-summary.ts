// The verdict over all folds in words, by the rule of verify. Pure; what it compares is folds-verdict's affair.
import { type ClusteredComparison, inClusters } from "../ranking/clusters.js";
import type { TunedOutcome } from "../ranking/outcomes.js";
import { ALPHA, probabilityText } from "../ranking/significance.js";
import { signed } from "../stages/verify/gates.js";
import type { Verdict } from "../stages/verify/schema.js";

/** That of verify, over clusters; guard sets are the affair of the final model. */
export type FoldsVerdict = Omit<Verdict, "comparison" | "guards"> & { comparison: ClusteredComparison };

const FOUND: Record<TunedOutcome, string> = {
  improved: "a significant gain",
  no_significant_gain: "no significant gain",
  worse: "a significant loss",
};

/** The rule of verify (stages/verify/judge-tuned): one sign-flip test at .05, two-sided, decides. */
export function wordVerdict(
  comparison: ClusteredComparison,
  against: Verdict["against"],
  folds: number,
  slices: Verdict["slices"],
): FoldsVerdict {
  const outcome = comparison.p_value >= ALPHA ? "no_significant_gain" : comparison.mean > 0 ? "improved" : "worse";
  const keep = against === "base" ? "keep the base" : "keep the first stage";
  const advice = outcome === "improved" ? "take the tuned model" : keep;
  const { mean, interval, queries, clusters, p_value, wins, ties, losses, smallest_detectable } = comparison;
  const over = `${queries} queries${inClusters(clusters === queries ? {} : { clusters })}, each tested in one of ${folds} folds`;
  const difference = `NDCG@10 ${signed(mean)} [${signed(interval[0])}, ${signed(interval[1])}] against the ${against.replace("_", " ")}`;
  const counts = `${wins} better, ${ties} equal, ${losses} worse`;
  const detectable = `a true difference of ${smallest_detectable.toFixed(4)} would be found four times in five`;
  const summary = `${advice}: ${FOUND[outcome]}, ${difference} over ${over}, p ${probabilityText(p_value)}; ${counts}; ${detectable}`;
  return { outcome, against, advice, summary, comparison, slices };
}
