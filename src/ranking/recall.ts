// Recall, precision and average precision: the metrics that divide by a count of relevant passages.
import { RELEVANT_FROM } from "./mrr.js";
import { type RankedQuery, rankedLabels, relevantLabels } from "./order.js";

/** Share of all relevant passages (missed ones too) in the first `cutoff`; 0 for a query without any. */
export function recallAt(query: RankedQuery, cutoff: number): number {
  const all = countRelevant(relevantLabels(query));
  return all === 0 ? 0 : countRelevant(rankedLabels(query).slice(0, cutoff)) / all;
}

/** Share of relevant passages in the first `cutoff`; divides by `cutoff` even when there are fewer candidates, as trec_eval's P does. */
export function precisionAt(query: RankedQuery, cutoff: number): number {
  return countRelevant(rankedLabels(query).slice(0, cutoff)) / cutoff;
}

/** Average precision over all relevant passages (trec_eval's map, without a cutoff). */
export function averagePrecision(query: RankedQuery): number {
  const all = countRelevant(relevantLabels(query));
  let [found, sum] = [0, 0];
  for (const [rank, label] of rankedLabels(query).entries()) {
    if (label < RELEVANT_FROM) continue;
    found += 1;
    sum += found / (rank + 1);
  }
  return all === 0 ? 0 : sum / all;
}

function countRelevant(labels: readonly number[]): number {
  return labels.filter((label) => label >= RELEVANT_FROM).length;
}
