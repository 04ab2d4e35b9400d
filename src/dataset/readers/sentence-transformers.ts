// Reads rows of sentence-transformers: pairs with a label, triplets and n-tuples, lists with labels, and its evaluator's rows (JSONL, CSV, TSV).
import type { Place } from "../findings.js";
import type { LabelledData, LabelledQuery } from "../labelled.js";
import { addQuery, countUnused, judgeSide, QUERY_DETAILS } from "./entries.js";
import { labelField, scoreField, textField } from "./fields.js";
import { readRows } from "./rows.js";
import { isPositiveColumn, TARGET_COLUMNS, type TupleColumns, tupleColumns } from "./tuple-columns.js";

/** A row with what was found in it. */
interface TupleRow {
  data: LabelledData;
  query: LabelledQuery | undefined;
  place: Place;
  values: Record<string, unknown>;
  columns: TupleColumns;
  /** Name and value of the label column, when there is one. */
  target: { name: string; value: unknown } | undefined;
}

/**
 * A number beside one passage, or numbers beside a list of passages, are labels; numbers beside a tuple are a teacher's
 * scores, since there the column already says what is relevant (the input table of sentence-transformers' losses).
 */
export async function readSentenceTransformers(path: string, data: LabelledData): Promise<void> {
  for await (const { line, values } of readRows(path, data.findings)) {
    const place = { file: path, line };
    const columns = tupleColumns(values, QUERY_DETAILS);
    countUnused(data, values, [
      ...QUERY_DETAILS,
      ...TARGET_COLUMNS,
      ...columns.targets,
      columns.query,
      ...columns.passages,
    ]);
    const query = addQuery(data, place, values, columns.query);
    if (columns.passages.length === 0) refuse(data, place, columns.query, "has no column with a passage");
    else if (columns.targets.length > 1)
      refuse(data, place, columns.targets[1] ?? "", `has ${columns.targets.length} columns of labels; keep one`);
    else addRow({ data, query, place, values, columns, target: targetOf(values, columns) });
  }
}

function targetOf(values: Record<string, unknown>, { targets: [name] }: TupleColumns): TupleRow["target"] {
  return name === undefined ? undefined : { name, value: values[name] };
}

function addRow(row: TupleRow): void {
  const { values, columns, target } = row;
  const [first = "", ...others] = columns.passages;
  if (target !== undefined && others.length === 0)
    if (Array.isArray(values[first])) addLabelledList(row, first, target);
    else addLabelledPair(row, first, target);
  else if (columns.passages.includes("documents")) addRanking(row);
  else addTuple(row);
}

function addLabelledPair(
  { data, query, place, values }: TupleRow,
  name: string,
  target: { name: string; value: unknown },
) {
  const text = textField(data, place, name, values[name]);
  const label = labelField(data, place, target.value, target.name);
  if (query !== undefined && text !== undefined && label !== undefined)
    data.judge(query, data.passageWithText(text), { ...place, label });
}

function addLabelledList(
  { data, query, place, values }: TupleRow,
  name: string,
  target: { name: string; value: unknown },
) {
  const texts = values[name] as unknown[];
  const labels = target.value;
  if (!Array.isArray(labels) || labels.length !== texts.length) {
    refuse(data, place, target.name, `\`${target.name}\` has not as many numbers as \`${name}\` has texts`);
    return;
  }
  texts.forEach((value, index) => {
    const text = textField(data, place, name, value);
    const label = labelField(data, place, labels[index], target.name);
    if (query !== undefined && text !== undefined && label !== undefined)
      data.judge(query, data.passageWithText(text), { ...place, label });
  });
}

/** The evaluator's row: all `documents` are ranked, those that also stand in `positive` are relevant. */
function addRanking({ data, query, place, values, columns }: TupleRow): void {
  const sides = columns.passages.filter((name) => name !== "documents");
  for (const name of sides)
    judgeSide(data, query, place, { name, texts: listOf(values[name]), label: isPositiveColumn(name) ? 1 : 0 });
  const relevant = new Set(sides.filter(isPositiveColumn).flatMap((name) => listOf(values[name]) as unknown[]));
  const documents = values.documents;
  const others = Array.isArray(documents) ? documents.filter((text) => !relevant.has(text)) : documents;
  judgeSide(data, query, place, { name: "documents", texts: others, label: 0 });
}

/** Triplets and n-tuples: the first passage column, or the one named positive, is relevant. */
function addTuple(row: TupleRow): void {
  const { data, query, place, values, columns, target } = row;
  const { passages, named } = columns;
  if (!named && passages.some((name) => Array.isArray(values[name]))) {
    refuse(data, place, passages[0] ?? "", "holds lists of passages, but no list of labels for them");
    return;
  }
  const scores = target === undefined ? [] : target.value;
  if (!Array.isArray(scores) || (target !== undefined && scores.length !== passages.length)) {
    const name = target?.name ?? "";
    refuse(data, place, name, `\`${name}\` is a margin or of another length than the ${passages.length} passages`);
    return;
  }
  passages.forEach((name, at) => {
    const label = (named ? isPositiveColumn(name) : at === 0) ? 1 : 0;
    if (Array.isArray(values[name]) && target === undefined)
      judgeSide(data, query, place, { name, texts: values[name], label });
    else addTupleText(row, name, label, scores[at]);
  });
}

function addTupleText({ data, query, place, values, target }: TupleRow, name: string, label: number, score: unknown) {
  if (isPadding(name, values[name])) return;
  const text = textField(data, place, name, values[name]);
  const teacher = scoreField(data, place, target?.name ?? "", score);
  if (query === undefined || text === undefined) return;
  const details = teacher === undefined ? {} : { teacher_score: teacher };
  data.judge(query, data.passageWithText(text), { ...place, label, ...details });
}

/** A data set pads the negatives of a short row: with null, and in a table with nothing. */
function isPadding(name: string, value: unknown): boolean {
  return /^negative_\d+$/i.test(name) && (value === null || value === undefined || value === "");
}

function listOf(value: unknown): unknown {
  return typeof value === "string" ? [value] : (value ?? []);
}

function refuse(data: LabelledData, { file, line }: Place, path: string, message: string): void {
  data.findings.fatal.add({
    file,
    line,
    path,
    message,
    hint: "write {anchor, positive, negative_1, ...}, {query, passage, label} or {query, docs: [...], labels: [...]}",
  });
}
