// Reads labelled pairs: one row a pair with query, passage and label (JSONL, CSV, TSV).
import { LabelledData } from "../labelled.js";
import { groupsOf, idOf, labelField, textField } from "./fields.js";
import { plainName, type Row, readJsonRows, readTableRows } from "./rows.js";

const COLUMNS = ["query", "passage", "label"] as const;
const RENAME = "name the columns query, passage and label";

/** Optional columns: `group` (keeps rows on one side of the split), `lang`, `query_id`. */
export async function readPairs(path: string): Promise<LabelledData> {
  const data = new LabelledData("pairs");
  const isTable = !/\.(jsonl|ndjson|json)$/.test(plainName(path));
  const rows = isTable ? readTableRows(path, data.findings) : readJsonRows(path, data.findings);
  let first = true;
  for await (const row of rows) {
    // A table lacks a column as a whole: say it once, not on every line.
    if (first && isTable && !hasColumns(data, path, row)) return data;
    first = false;
    addPair(data, path, row);
  }
  return data;
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
  const query = textField(data, place, "query", values.query);
  const passage = textField(data, place, "passage", values.passage);
  const label = labelField(data, place, values.label);
  if (query === undefined || passage === undefined || label === undefined) return;
  const id = idOf(values.query_id);
  const lang = idOf(values.lang);
  const owner = data.queryWithText(query, place, {
    groups: groupsOf(values.group),
    ...(id === undefined ? {} : { id }),
    ...(lang === undefined ? {} : { lang }),
  });
  data.judge(owner, data.passageWithText(passage), { ...place, label });
}
