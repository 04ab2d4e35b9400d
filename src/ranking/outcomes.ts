// The outcomes of a verdict on a new model, and which of them speak for it. Words alone; what leads to them is decided elsewhere.

/** Of a model that should beat its reference. */
export type TunedOutcome = "improved" | "no_significant_gain" | "worse";
/** Of a student, which should not lose more against its teacher than is allowed. */
export type StudentOutcome = "within_limit" | "inconclusive" | "beyond_limit";

/** Whether the verdict speaks for the new model. */
export const isWorthTaking = ({ outcome }: { outcome: TunedOutcome | StudentOutcome }): boolean =>
  outcome === "improved" || outcome === "within_limit";
