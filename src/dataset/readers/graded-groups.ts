// Reads graded groups: one JSON object a query with all its passages (training.md §1.1, the canonical form).
import type { LabelledData } from "../labelled.js";
import { addQuery, countUnused, judgePassage, objectIn, QUERY_DETAILS } from "./entries.js";
import { readJsonRows } from "./rows.js";

const ROW = [...QUERY_DETAILS, "query", "passages", "synthetic"];
const PASSAGE = ["id", "title", "text", "label", "teacher_score", "source", "rank"];

/** Rows: {query_id?, query, passages: [{id?, title?, text, label, teacher_score?, source?, rank?}], lang?, group?, split?}. */
export async function readGradedGroups(path: string, data: LabelledData): Promise<void> {
  for await (const { line, values } of readJsonRows(path, data.findings)) {
    const place = { file: path, line };
    countUnused(data, values, ROW);
    const query = addQuery(data, place, values);
    if (!Array.isArray(values.passages)) {
      data.findings.fatal.add({ ...place, path: "passages", message: "has no list `passages`" });
      continue;
    }
    for (const value of values.passages as unknown[]) {
      const passage = objectIn(data, place, "passages", value);
      if (passage === undefined) continue;
      countUnused(data, passage, PASSAGE, "passages.");
      judgePassage(data, query, place, passage, { id: "id", text: "text" });
    }
  }
}
