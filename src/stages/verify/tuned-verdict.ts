// The rule by which one comparison decides over a tuned model, and its words; of one test split and of all folds alike. Pure.
import type { TunedOutcome } from "../../ranking/outcomes.js";
import { ALPHA, type PairedComparison, probabilityText } from "../../ranking/significance.js";
import { signed } from "./gates.js";
import type { Reference, Verdict } from "./schema.js";

export type TunedVerdict = Pick<Verdict, "advice" | "summary"> & { outcome: TunedOutcome };

const FOUND: Record<TunedOutcome, string> = {
  improved: "a significant gain",
  no_significant_gain: "no significant gain",
  worse: "a significant loss",
};

/**
 * One significant result decides: the sign-flip test at .05, two-sided, so that chance alone calls a model improved once in forty
 * (training.md §6).
 * @param over what was compared, in words, such as `200 test queries`.
 */
export function tunedVerdict(comparison: PairedComparison, against: Reference, over: string): TunedVerdict {
  const { mean, interval, p_value, wins, ties, losses, smallest_detectable } = comparison;
  const outcome = p_value >= ALPHA ? "no_significant_gain" : mean > 0 ? "improved" : "worse";
  const keep = against === "base" ? "keep the base" : "keep the first stage";
  const advice = outcome === "improved" ? "take the tuned model" : keep;
  const difference = `NDCG@10 ${signed(mean)} [${signed(interval[0])}, ${signed(interval[1])}] against the ${against.replace("_", " ")}`;
  const counts = `${wins} better, ${ties} equal, ${losses} worse`;
  const detectable = `a true difference of ${smallest_detectable.toFixed(4)} would be found four times in five`;
  const summary = `${advice}: ${FOUND[outcome]}, ${difference} over ${over}, p ${probabilityText(p_value)}; ${counts}; ${detectable}`;
  return { outcome, advice, summary };
}
