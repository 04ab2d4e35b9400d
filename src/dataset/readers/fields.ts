// Takes typed fields out of rows of any origin; what does not fit becomes a finding with its line.
import type { Place } from "../findings.js";
import type { Split } from "../groups.js";
import type { LabelledData } from "../labelled.js";

/** A non-empty text, trimmed. Empty ones are counted and dropped, other types are fatal. */
export function textField(data: LabelledData, place: Place, name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) {
    data.findings.fatal.add({ ...place, path: name, message: `has no \`${name}\`` });
    return undefined;
  }
  if (typeof value !== "string") {
    data.findings.fatal.add({ ...place, path: name, message: `\`${name}\` is ${typeName(value)}, not a text` });
    return undefined;
  }
  const text = value.trim();
  if (text === "")
    data.findings.empty.add({ ...place, path: name, message: `\`${name}\` is empty; the row is left out` });
  return text === "" ? undefined : text;
}

const LABEL_HINT = "write labels as numbers: 1 for relevant, 0 for not relevant, or grades such as 0 to 3";

/** A label of 0 or more. Numbers, booleans and numeric texts (CSV knows nothing else) count; words do not. */
export function labelField(data: LabelledData, place: Place, value: unknown, name = "label"): number | undefined {
  const label = numberOf(value);
  if (label !== undefined && label >= 0) return label;
  const message =
    label === undefined ? `\`${name}\` is ${whyNoNumber(value)}, not a number` : `\`${name}\` is ${label}, below 0`;
  data.findings.fatal.add({ ...place, path: name, message, hint: LABEL_HINT });
  return undefined;
}

/** A teacher's score, any finite number; absent or null is no score, anything else is fatal. */
export function scoreField(data: LabelledData, place: Place, name: string, value: unknown): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const score = numberOf(value);
  if (score === undefined)
    data.findings.fatal.add({ ...place, path: name, message: `\`${name}\` holds ${whyNoNumber(value)}, not a number` });
  return score;
}

function whyNoNumber(value: unknown): string {
  if (value === undefined || value === null || value === "") return "missing";
  return typeof value === "string" ? "a word" : typeName(value);
}

/** An id or a language: a text or a number; absent or empty is none, anything else is fatal. */
export function keyField(data: LabelledData, place: Place, name: string, value: unknown): string | undefined {
  const key = idOf(value);
  if (key === undefined && value !== undefined && value !== null && typeof value !== "string")
    data.findings.fatal.add({ ...place, path: name, message: `\`${name}\` is ${typeName(value)}, not a text` });
  return key;
}

/** Names that data use for the three sides. */
export const SPLIT_NAMES: Readonly<Record<string, Split>> = {
  train: "train",
  dev: "dev",
  valid: "dev",
  validation: "dev",
  test: "test",
};

/** The side given by the data; absent or empty is none, an unknown name is fatal. */
export function splitField(data: LabelledData, place: Place, value: unknown): Split | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const split = typeof value === "string" ? SPLIT_NAMES[value.trim().toLowerCase()] : undefined;
  if (split === undefined)
    data.findings.fatal.add({
      ...place,
      path: "split",
      message: "`split` is none of train, dev, test",
      hint: "write train, dev or test, or leave the field out: prepare splits by query",
    });
  return split;
}

/** A finite number, or undefined. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const number = Number(value.trim());
  return Number.isFinite(number) ? number : undefined;
}

/** An id may be written as a number; it becomes a text. */
export function idOf(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}

/** Group keys: absent, one, or a list. */
export function groupsOf(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.map(idOf).filter((key) => key !== undefined);
}

/** A title, trimmed; undefined when there is none. */
export function titleOf(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}

/** Title and text as one passage, joined by a space as BEIR's own loaders do. */
export function titledText(title: unknown, text: string): string {
  const given = titleOf(title);
  return given === undefined ? text : `${given} ${text}`;
}

export function typeName(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return value !== null && typeof value === "object" ? "an object" : `a ${typeof value}`;
}
