// A settled group as a row of the canonical form. Ids are always written, also those that were made: score files and runs name them.
import { judgementDetails, queryDetails } from "../../dataset/writers/graded-groups.js";
import type { JudgedGroup } from "./judged-group.js";
import type { JudgedRow } from "./rows.js";

/** One line without its end. */
export function canonicalLine({ query, passages }: Pick<JudgedGroup, "query" | "passages">): string {
  return JSON.stringify({
    query_id: query.id,
    query: query.text,
    passages: passages.map(passageOf),
    ...queryDetails(query),
  });
}

/** `label` stands first on purpose: dataset/evaluation-data.ts takes passages that begin with `id` for candidates in the order of a first stage. */
function passageOf(row: JudgedRow): object {
  const { id, text, title, label } = row;
  const parts = title === undefined ? { text } : { title, text: text.slice(title.length + 1) };
  return { label, id, ...parts, ...judgementDetails(row) };
}
