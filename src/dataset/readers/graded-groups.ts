// Reads graded groups: one JSON object a query with all its passages (training.md §1.1, the canonical form).
import { type Judgement, LabelledData, type LabelledQuery } from "../labelled.js";
import { groupsOf, idOf, labelField, numberOf, textField, titledText } from "./fields.js";
import { readJsonRows } from "./rows.js";

/** Rows: {query_id?, query, passages: [{id?, text, title?, label, teacher_score?}], lang?, group?}. */
export async function readGradedGroups(path: string): Promise<LabelledData> {
  const data = new LabelledData("groups");
  for await (const { line, values } of readJsonRows(path, data.findings)) {
    const place = { file: path, line };
    const text = textField(data, place, "query", values.query);
    if (!Array.isArray(values.passages)) {
      data.findings.fatal.add({ ...place, path: "passages", message: "has no list `passages`" });
      continue;
    }
    if (text === undefined) continue;
    const id = idOf(values.query_id);
    const lang = idOf(values.lang);
    const query = data.queryWithText(text, place, {
      groups: groupsOf(values.group),
      ...(id === undefined ? {} : { id }),
      ...(lang === undefined ? {} : { lang }),
    });
    for (const passage of values.passages as unknown[]) addPassage(data, query, place, passage);
  }
  return data;
}

function addPassage(
  data: LabelledData,
  query: LabelledQuery,
  place: { file: string; line: number },
  value: unknown,
): void {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    data.findings.fatal.add({ ...place, path: "passages", message: "holds a passage that is not an object" });
    return;
  }
  const { id, title, text, label, teacher_score } = value as Record<string, unknown>;
  const plain = textField(data, place, "text", text);
  const number = labelField(data, place, label);
  if (plain === undefined || number === undefined) return;
  const teacher = numberOf(teacher_score);
  const judgement: Judgement = {
    ...place,
    label: number,
    ...(teacher === undefined ? {} : { teacher_score: teacher }),
  };
  data.judge(query, data.passageWithText(titledText(title, plain), idOf(id)), judgement);
}
