// Takes typed fields out of rows of any origin; what does not fit becomes a finding with its line.
import type { Place } from "../findings.js";
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

/** A label of 0 or more. Numbers, booleans and numeric texts (CSV knows nothing else) count; words do not. */
export function labelField(data: LabelledData, place: Place, value: unknown): number | undefined {
  const label = numberOf(value);
  if (label === undefined) {
    const what =
      value === undefined || value === null || value === ""
        ? "missing"
        : typeof value === "string"
          ? "a word"
          : typeName(value);
    data.findings.fatal.add({
      ...place,
      path: "label",
      message: `\`label\` is ${what}, not a number`,
      hint: "write labels as numbers: 1 for relevant, 0 for not relevant, or grades such as 0 to 3",
    });
    return undefined;
  }
  if (label < 0) {
    data.findings.fatal.add({
      ...place,
      path: "label",
      message: `\`label\` is ${label}, below 0`,
      hint: "write labels as numbers: 1 for relevant, 0 for not relevant, or grades such as 0 to 3",
    });
    return undefined;
  }
  return label;
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

/** Title and text as one passage, joined by a space as BEIR's own loaders do. */
export function titledText(title: unknown, text: string): string {
  return typeof title === "string" && title.trim() !== "" ? `${title.trim()} ${text}` : text;
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return value !== null && typeof value === "object" ? "an object" : `a ${typeof value}`;
}
