// Turns a dev or test query into its group: the candidates in first-stage order with labels, and what the first stage missed.
import type { Group, Passage } from "../../dataset/groups.js";
import type { LabelledData, LabelledQuery } from "../../dataset/labelled.js";
import type { FirstStage } from "./first-stage.js";

/** A query for which the first stage returned nothing keeps its place with no passages: every system scores 0 on it (trec_eval -c). */
export function evaluationGroup(data: LabelledData, query: LabelledQuery, stage: FirstStage, depth: number): Group {
  const ranked = (stage.ranked(query, depth) ?? []).filter((passage) => data.passageTexts[passage] !== "");
  const returned = new Set(ranked);
  const missed = [...query.judgements]
    .filter(([passage, { label }]) => label > 0 && !returned.has(passage))
    .map(([passage, { label }]) => ({ id: data.passageIds[passage] as string, label }));
  return {
    query_id: query.id,
    query: query.text,
    passages: ranked.map((passage, at) => candidate(data, query, passage, at + 1, stage)),
    ...(missed.length === 0 ? {} : { missed }),
    ...(query.lang === undefined ? {} : { lang: query.lang }),
    ...(query.source === undefined ? {} : { source: query.source }),
  };
}

function candidate(
  data: LabelledData,
  query: LabelledQuery,
  passage: number,
  rank: number,
  stage: FirstStage,
): Passage {
  const judgement = query.judgements.get(passage);
  return {
    id: data.passageIds[passage] as string,
    text: data.passageTexts[passage] as string,
    label: judgement?.label ?? 0,
    source: judgement === undefined ? stage.kind : "judged",
    rank,
    ...(judgement?.teacher_score === undefined ? {} : { teacher_score: judgement.teacher_score }),
  };
}

/** Share of relevant passages among the candidates, mean over queries; 0-1. */
export function recallOf(groups: readonly Group[]): number {
  const recalls = groups.map((group) => {
    const found = group.passages.filter(({ label }) => label > 0).length;
    return found / Math.max(1, found + (group.missed?.length ?? 0));
  });
  return recalls.reduce((sum, recall) => sum + recall, 0) / Math.max(1, groups.length);
}
