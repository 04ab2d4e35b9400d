// The order in which trec_eval reads a run: the one place that decides ties. Knows nothing of labels.

/** One query as a ranker left it. `scores`, `labels` and `ids` run in parallel over the candidates. */
export interface RankedQuery {
  scores: ArrayLike<number>;
  /** Graded relevance; values below or equal to 0 are not relevant, unjudged candidates carry 0. */
  labels: ArrayLike<number>;
  ids: readonly string[];
  /** Relevant passages that are not among the candidates: they count in every ideal and every recall. */
  missed?: readonly { label: number }[];
}

/** Positions of the candidates, best first: score descending, ties by id descending in byte order (trec_eval's comp_sim_docno). A NaN ranks last. */
export function rankingOrder(scores: ArrayLike<number>, ids: readonly string[]): number[] {
  // trec_eval keeps scores as `float sim` (form_res_rels.c): what is equal in float32 is a tie.
  const keys = Float32Array.from(ids, (_, index) => {
    const score = scores[index] ?? Number.NaN;
    return Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score;
  });
  const positions = ids.map((_, index) => index);
  return positions.sort((left, right) => {
    const [a, b] = [keys[left] as number, keys[right] as number];
    return a === b ? compareBytes(ids[right] as string, ids[left] as string) : a < b ? 1 : -1;
  });
}

/** The labels in ranked order. */
export function rankedLabels(query: RankedQuery): number[] {
  return rankingOrder(query.scores, query.ids).map((position) => query.labels[position] ?? 0);
}

/** All labels above 0, those of missed passages included. */
export function relevantLabels(query: RankedQuery): number[] {
  const missed = (query.missed ?? []).map((passage) => passage.label);
  return [...Array.from(query.labels), ...missed].filter((label) => label > 0);
}

/** JavaScript compares UTF-16 units, C compares bytes; they differ beyond the basic plane. */
function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
