// Writes labelled pairs: one judged passage a line, with the details of its query on every line.
import type { LabelledData } from "../labelled.js";
import { judgementDetails, queryDetails } from "./graded-groups.js";
import { writeJsonLines } from "./lines.js";
import { type Shortfall, shortfalls } from "./shortfall.js";

/** Rows as `readPairs` takes them; a title becomes the beginning of its passage, a query without passages has no row. */
export async function writePairs(path: string, data: LabelledData): Promise<Shortfall[]> {
  await writeJsonLines(path, rows(data));
  return shortfalls(data, [
    "query_ids",
    "passage_ids",
    "grades",
    "teacher_scores",
    "languages",
    "group_keys",
    "splits",
    "sources",
  ]);
}

function* rows(data: LabelledData): Generator<object> {
  for (const query of data.queries)
    for (const [passage, judgement] of query.judgements) {
      const id = data.ownPassageId(passage);
      yield {
        ...(query.hasOwnId === true ? { query_id: query.id } : {}),
        query: query.text,
        ...(id === undefined ? {} : { passage_id: id }),
        passage: data.passageTexts[passage],
        label: judgement.label,
        ...judgementDetails(judgement),
        ...queryDetails(query),
      };
    }
}
