// How much of a ranking's top anybody ever judged: low values mean that a metric says little about what it counts as not relevant.
import { type RankedQuery, rankedLabels } from "./order.js";

/**
 * Share of judged passages, relevant or not, in the first `cutoff`; a list that is shorter is divided by its own length.
 * @param judged in parallel to the candidates.
 * @returns 0-1; NaN for a query without candidates.
 */
export function judgedAt(query: RankedQuery, judged: readonly boolean[], cutoff: number): number {
  const top = rankedLabels({ ...query, labels: judged.map(Number) }).slice(0, cutoff);
  return top.reduce((sum, flag) => sum + flag, 0) / top.length;
}
