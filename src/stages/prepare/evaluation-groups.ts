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

/**
 * Numbers the clusters that have several queries among these groups, from 1 in order of the groups, so that what is resampled
 * later is a whole cluster. A group that stands alone is left as it is.
 * @param clusters queries that hang together, in no more than one cluster each.
 */
export function markClusters(
  groups: readonly Group[],
  clusters: readonly (readonly Pick<LabelledQuery, "id">[])[],
): Group[] {
  const clusterOf = new Map(clusters.flatMap((members, cluster) => members.map(({ id }) => [id, cluster] as const)));
  const present = new Map<number | undefined, number>();
  for (const { query_id } of groups) {
    const cluster = clusterOf.get(query_id);
    present.set(cluster, (present.get(cluster) ?? 0) + 1);
  }
  const numbers = new Map<number, number>();
  return groups.map((group) => {
    const cluster = clusterOf.get(group.query_id);
    if (cluster === undefined || present.get(cluster) === 1) return group;
    const number = numbers.get(cluster) ?? numbers.size + 1;
    numbers.set(cluster, number);
    return { ...group, cluster: number };
  });
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
