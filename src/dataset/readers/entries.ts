// Puts what rows say into the labelled data: a query with its details, a judged passage, a list of judged texts. Shared by the readers.
import type { Place } from "../findings.js";
import type { Judgement, LabelledData, LabelledQuery } from "../labelled.js";
import { groupsOf, keyField, labelField, scoreField, splitField, textField, titledText, titleOf } from "./fields.js";

/** Fields that rows of any form may have beside their own: they say something of the query. */
export const QUERY_DETAILS = ["query_id", "lang", "query_source", "group", "split"] as const;

/** More names than this are not fields but a mistake; their rows are counted under one name. */
const NAMED = 50;

/** The query of a row, added with its id, language, group keys and split. @returns undefined when its text cannot be used. */
export function addQuery(
  data: LabelledData,
  place: Place,
  values: Record<string, unknown>,
  name = "query",
): LabelledQuery | undefined {
  return addQueryText(data, place, values, textField(data, place, name, values[name]));
}

/** The same for a text that does not stand in a field of its own. */
export function addQueryText(
  data: LabelledData,
  place: Place,
  values: Record<string, unknown>,
  text: string | undefined,
): LabelledQuery | undefined {
  const details = {
    id: keyField(data, place, "query_id", values.query_id),
    lang: keyField(data, place, "lang", values.lang),
    source: keyField(data, place, "query_source", values.query_source),
    split: splitField(data, place, values.split),
    groups: groupsOf(values.group),
  };
  return text === undefined ? undefined : data.queryWithText(text, place, details);
}

/** A fatal finding when a row has none of the lists that hold its passages. */
export function requireOneOf(data: LabelledData, place: Place, values: Record<string, unknown>, names: string[]): void {
  if (names.some((name) => values[name] !== undefined && values[name] !== null)) return;
  const message = `has neither ${names.map((name) => `\`${name}\``).join(" nor ")}`;
  data.findings.fatal.add({ ...place, path: names[0] as string, message });
}

/** Where a passage object keeps its parts; forms name them differently. */
interface PassageNames {
  id: string;
  text: string;
}

/**
 * Judges a passage that is an object with a text and perhaps an id and a title.
 * @param query undefined when the row's query cannot be used: the passage is checked all the same.
 * @param label taken from the object's own `label` when undefined.
 */
export function judgePassage(
  data: LabelledData,
  query: LabelledQuery | undefined,
  place: Place,
  value: Record<string, unknown>,
  names: PassageNames,
  label?: number,
): void {
  const text = textField(data, place, names.text, value[names.text]);
  const id = keyField(data, place, names.id, value[names.id]);
  const grade = label ?? labelField(data, place, value.label);
  const details = judgementDetails(data, place, value);
  if (query === undefined || text === undefined || grade === undefined) return;
  const passage = data.passageWithText(titledText(value.title, text), id, titleOf(value.title));
  data.judge(query, passage, { file: place.file, line: place.line, label: grade, ...details });
}

/** What a row or passage may say of a judgement beside its label. */
export function judgementDetails(
  data: LabelledData,
  place: Place,
  values: Record<string, unknown>,
): Pick<Judgement, "teacher_score" | "source" | "rank"> {
  const teacher = scoreField(data, place, "teacher_score", values.teacher_score);
  const source = keyField(data, place, "source", values.source);
  const rank = scoreField(data, place, "rank", values.rank);
  return {
    ...(teacher === undefined ? {} : { teacher_score: teacher }),
    ...(source === undefined ? {} : { source }),
    ...(rank === undefined ? {} : { rank }),
  };
}

/** A list of plain texts that share a label, such as `pos` and `neg`. */
interface Side {
  name: string;
  texts: unknown;
  label: number;
  /** The teacher's scores, as many as the texts, when the form has them. */
  scores?: unknown;
  scoresName?: string;
}

/** Judges every text of a side; a missing side is an empty one. */
export function judgeSide(
  data: LabelledData,
  query: LabelledQuery | undefined,
  place: Place,
  { name, texts, label, scores, scoresName = "" }: Side,
): void {
  if (texts === undefined || texts === null) return;
  if (!Array.isArray(texts)) {
    data.findings.fatal.add({ ...place, path: name, message: `\`${name}\` is not a list` });
    return;
  }
  const given = scores !== undefined && scores !== null;
  if (given && (!Array.isArray(scores) || scores.length !== texts.length)) {
    const message = `\`${scoresName}\` has not as many numbers as \`${name}\` has texts`;
    data.findings.fatal.add({ ...place, path: scoresName, message });
    return;
  }
  texts.forEach((value, index) => {
    const text = textField(data, place, name, value);
    const teacher = given ? scoreField(data, place, scoresName, (scores as unknown[])[index]) : undefined;
    if (query === undefined || text === undefined) return;
    const judgement: Judgement = { ...place, label, ...(teacher === undefined ? {} : { teacher_score: teacher }) };
    data.judge(query, data.passageWithText(text), judgement);
  });
}

/** Counts the fields of a row that no reader looks at, so that nothing is left out in silence. */
export function countUnused(
  data: LabelledData,
  values: Record<string, unknown>,
  used: readonly string[],
  inside = "",
): void {
  for (const name of Object.keys(values)) {
    if (used.includes(name)) continue;
    const path = `${inside}${name}`;
    const counted = data.unusedFields.has(path) || data.unusedFields.size < NAMED ? path : "(others)";
    data.unusedFields.set(counted, (data.unusedFields.get(counted) ?? 0) + 1);
  }
}

/** An object, or a fatal finding. */
export function objectIn(
  data: LabelledData,
  place: Place,
  name: string,
  value: unknown,
): Record<string, unknown> | undefined {
  if (value !== null && typeof value === "object" && !Array.isArray(value)) return value as Record<string, unknown>;
  data.findings.fatal.add({ ...place, path: name, message: `\`${name}\` holds a passage that is not an object` });
  return undefined;
}
