// One group a judged query: its candidates with text, label and the first stage's score, and the relevant passages it missed. Pure.
import type { RankedQuery } from "../ranking/order.js";
import type { FirstStage } from "./first-stage.js";
import type { JudgedQuery } from "./split.js";

export interface Candidate {
  id: string;
  text: string;
  /** 0 where nobody judged it (trec_eval). */
  label: number;
  judged: boolean;
  first_stage_score: number;
}

export interface EvaluationGroup {
  query_id: string;
  query: string;
  /** In first-stage order. Empty for a query that the first stage lacks: every system gets 0 on it (trec_eval -c). */
  candidates: Candidate[];
  /** Relevant passages that nobody can rank; they stay in the ideal and in recall. */
  missed: { label: number }[];
}

/** Groups in the order of the split. */
export function evaluationGroups(queries: readonly JudgedQuery[], stage: FirstStage): EvaluationGroup[] {
  return queries.map((query) => {
    const hits = stage.ranked.get(query.id) ?? [];
    const returned = new Set(hits.map(({ id }) => id));
    return {
      query_id: query.id,
      query: query.text,
      candidates: hits.map(({ id, score }) => ({
        id,
        text: stage.texts.get(id) ?? "",
        label: query.labels.get(id) ?? 0,
        judged: query.labels.has(id),
        first_stage_score: score,
      })),
      missed: [...query.labels].flatMap(([id, label]) => (label > 0 && !returned.has(id) ? [{ label }] : [])),
    };
  });
}

/** The group ranked by these scores, one a candidate. */
export function rankedBy(group: EvaluationGroup, scores: ArrayLike<number>): RankedQuery {
  return {
    scores,
    labels: group.candidates.map(({ label }) => label),
    ids: group.candidates.map(({ id }) => id),
    missed: group.missed,
  };
}

/** The group in the first stage's order. */
export function rankedByFirstStage(group: EvaluationGroup): RankedQuery {
  return rankedBy(
    group,
    group.candidates.map(({ first_stage_score }) => first_stage_score),
  );
}
