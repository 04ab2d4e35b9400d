// Reads RAG-Retrieval's rows: one pair a row (query, content, label), or one query a row with its hits (content, label).
import type { LabelledData } from "../labelled.js";
import { addQuery, countUnused, judgePassage, objectIn, QUERY_DETAILS } from "./entries.js";
import { readRows } from "./rows.js";

const PASSAGE = ["content", "label", "title", "passage_id", "teacher_score", "source", "rank"];
const NAMES = { id: "passage_id", text: "content" };

/** Labels are grades or numbers between 0 and 1; both are kept as they are. */
export async function readRagRetrieval(path: string, data: LabelledData): Promise<void> {
  for await (const { line, values } of readRows(path, data.findings)) {
    const place = { file: path, line };
    const query = addQuery(data, place, values);
    const { hits } = values;
    if (hits === undefined) {
      countUnused(data, values, [...QUERY_DETAILS, "query", ...PASSAGE]);
      judgePassage(data, query, place, values, NAMES);
      continue;
    }
    countUnused(data, values, [...QUERY_DETAILS, "query", "hits"]);
    if (!Array.isArray(hits)) {
      data.findings.fatal.add({ ...place, path: "hits", message: "`hits` is not a list" });
      continue;
    }
    for (const value of hits as unknown[]) {
      const passage = objectIn(data, place, "hits", value);
      if (passage === undefined) continue;
      countUnused(data, passage, PASSAGE, "hits.");
      judgePassage(data, query, place, passage, NAMES);
    }
  }
}
