// Counts what a target form cannot hold of labelled data, so that nothing is lost in silence. Counts only; no text of the user's.
import type { LabelledData, LabelledQuery } from "../labelled.js";

/** Something of the data that a form holds or does not. */
export type Feature =
  | "query_ids"
  | "passage_ids"
  | "titles"
  | "grades"
  | "teacher_scores"
  | "languages"
  | "group_keys"
  | "splits"
  | "sources"
  | "empty_groups"
  | "unjudged_passages";

export interface Shortfall {
  feature: Feature;
  count: number;
  /** What happened to them, after the count. */
  says: string;
}

const SAYS: Record<Feature, string> = {
  query_ids: "query ids are left out",
  passage_ids: "passage ids are left out",
  titles: "titles are written as the beginning of their passage",
  grades: "labels are neither 0 nor 1; those above 0 become 1",
  teacher_scores: "teacher scores are left out",
  languages: "languages of queries are left out",
  group_keys: "group keys of queries are left out",
  splits: "queries lose the split that the data gave them",
  sources: "sources of passages are left out",
  empty_groups: "queries without a judged passage are left out",
  unjudged_passages: "passages that no query judges are left out",
};

/** What `data` has of the features that a form does not hold. */
export function shortfalls(data: LabelledData, holds: readonly Feature[]): Shortfall[] {
  const counts = countsOf(data);
  return (Object.keys(SAYS) as Feature[])
    .filter((feature) => !holds.includes(feature) && counts[feature] > 0)
    .map((feature) => ({ feature, count: counts[feature], says: SAYS[feature] }));
}

/** The same with a count that the writer took itself, such as scores that only some rows can keep. */
export function shortfall(feature: Feature, count: number): Shortfall[] {
  return count === 0 ? [] : [{ feature, count, says: SAYS[feature] }];
}

function countsOf(data: LabelledData): Record<Feature, number> {
  const judged = new Set(data.queries.flatMap((query) => [...query.judgements.keys()]));
  const passages = [...judged];
  const judgements = data.queries.flatMap((query) => [...query.judgements.values()]);
  const queries = (has: (query: LabelledQuery) => boolean): number => data.queries.filter(has).length;
  return {
    query_ids: queries(({ hasOwnId }) => hasOwnId === true),
    passage_ids: passages.filter((index) => data.ownPassageId(index) !== undefined).length,
    titles: passages.filter((index) => data.partsOf(index).title !== undefined).length,
    grades: judgements.filter(({ label }) => label !== 0 && label !== 1).length,
    teacher_scores: judgements.filter(({ teacher_score }) => teacher_score !== undefined).length,
    languages: queries(({ lang }) => lang !== undefined),
    group_keys: data.queries.reduce((sum, { groups }) => sum + groups.length, 0),
    splits: queries(({ split }) => split !== undefined),
    sources: judgements.filter(({ source, rank }) => source !== undefined || rank !== undefined).length,
    empty_groups: queries(({ judgements: own }) => own.size === 0),
    unjudged_passages: data.passageTexts.length - judged.size,
  };
}
