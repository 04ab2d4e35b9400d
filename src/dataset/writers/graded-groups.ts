// Writes the canonical form: one graded group a line, with everything that is known of it.
import type { Judgement, LabelledData, LabelledQuery } from "../labelled.js";
import { writeJsonLines } from "./lines.js";
import { type Shortfall, shortfalls } from "./shortfall.js";

/** Rows as `readGradedGroups` takes them; ids that were made while reading are left out, since reading makes them again. */
export async function writeGradedGroups(path: string, data: LabelledData): Promise<Shortfall[]> {
  await writeJsonLines(path, rows(data));
  return shortfalls(data, [
    "query_ids",
    "passage_ids",
    "titles",
    "grades",
    "teacher_scores",
    "languages",
    "group_keys",
    "splits",
    "sources",
    "empty_groups",
  ]);
}

function* rows(data: LabelledData): Generator<object> {
  for (const query of data.queries)
    yield {
      ...(query.hasOwnId === true ? { query_id: query.id } : {}),
      query: query.text,
      passages: [...query.judgements].map(([passage, judgement]) => passageRow(data, passage, judgement)),
      ...queryDetails(query),
    };
}

function passageRow(data: LabelledData, passage: number, judgement: Judgement): object {
  const id = data.ownPassageId(passage);
  return {
    ...(id === undefined ? {} : { id }),
    ...data.partsOf(passage),
    label: judgement.label,
    ...judgementDetails(judgement),
  };
}

/** What is known of a query beside id and text, under the names of the canonical form. */
export function queryDetails({
  lang,
  source,
  groups,
  split,
}: Pick<LabelledQuery, "lang" | "source" | "groups" | "split">): object {
  const [group] = groups;
  return {
    ...(lang === undefined ? {} : { lang }),
    ...(source === undefined ? {} : { query_source: source }),
    ...(group === undefined ? {} : { group: groups.length === 1 ? group : groups }),
    ...(split === undefined ? {} : { split }),
  };
}

/** What is known of a judgement beside its label. */
export function judgementDetails({
  teacher_score,
  source,
  rank,
}: Pick<Judgement, "teacher_score" | "source" | "rank">): object {
  return {
    ...(teacher_score === undefined ? {} : { teacher_score }),
    ...(source === undefined ? {} : { source }),
    ...(rank === undefined ? {} : { rank }),
  };
}
