// Reads labelled pairs: one row a pair with query, passage and label (JSONL, CSV, TSV).
import type { LabelledData } from "../labelled.js";
import { addQuery, countUnused, judgementDetails, QUERY_DETAILS } from "./entries.js";
import { keyField, labelField, textField } from "./fields.js";
import { isTable, type Row, readRows } from "./rows.js";

const COLUMNS = ["query", "passage", "label"] as const;
const USED = [...QUERY_DETAILS, ...COLUMNS, "passage_id", "teacher_score", "source", "rank"];
const RENAME = "name the columns query, passage and label";

/** Optional columns: query_id, passage_id, teacher_score, source, rank, lang, `group` and `split` (which keep rows on one side). */
export async function readPairs(path: string, data: LabelledData): Promise<void> {
  let first = true;
  for await (const row of readRows(path, data.findings)) {
    // A table lacks a column as a whole: say it once, not on every line.
    if (first && isTable(path) && !hasColumns(data, path, row)) return;
    first = false;
    addPair(data, path, row);
  }
}

function hasColumns(data: LabelledData, file: string, row: Row): boolean {
  const missing = COLUMNS.filter((name) => !(name in row.values));
  const found = Object.keys(row.values).slice(0, 20).join(", ");
  for (const name of missing)
    data.findings.fatal.add({
      file,
      line: 1,
      path: name,
      message: `has no column \`${name}\`; the columns are ${found}`,
      hint: RENAME,
    });
  return missing.length === 0;
}

function addPair(data: LabelledData, file: string, { line, values }: Row): void {
  const place = { file, line };
  countUnused(data, values, USED);
  const passage = textField(data, place, "passage", values.passage);
  const label = labelField(data, place, values.label);
  const id = keyField(data, place, "passage_id", values.passage_id);
  const details = judgementDetails(data, place, values);
  // A row without a usable pair adds no query either.
  const usable = passage !== undefined && label !== undefined;
  if (!usable) {
    textField(data, place, "query", values.query);
    return;
  }
  const query = addQuery(data, place, values);
  if (query === undefined) return;
  data.judge(query, data.passageWithText(passage, id), { ...place, label, ...details });
}
