// Any JSON as tables: lists of objects become tables of their own, everything else rows of a path and a value. Bounded, whatever comes.
import { isObject, type JsonObject } from "../../artifacts/json-value.js";
import { type Content, html, type Markup } from "../../page/markup.js";

const MOST_ROWS = 200;
const MOST_COLUMNS = 12;
const MOST_CHARACTERS = 160;
const DEEPEST = 6;

type Row = readonly [string, string];

/** @param value parsed JSON; texts are escaped by the template. */
export function factTables(value: unknown): Markup {
  const lists: { name: string; rows: JsonObject[] }[] = [];
  const rows: Row[] = [];
  const visit = (path: string, found: unknown, depth: number): void => {
    if (rows.length >= MOST_ROWS) return;
    if (isTable(found)) lists.push({ name: path === "" ? "entries" : path, rows: found });
    else if (isObject(found) && depth < DEEPEST)
      for (const [key, inner] of Object.entries(found)) visit(path === "" ? key : `${path}.${key}`, inner, depth + 1);
    else rows.push([path === "" ? "value" : path, shown(found)]);
  };
  visit("", value, 0);
  return html`${rows.length > 0 && pairsTable(rows)}${lists.map(({ name, rows: entries }) => listTable(name, entries))}`;
}

const pairsTable = (rows: readonly Row[]): Markup => html`<div class="scroll"><table>
<caption class="unseen">values</caption>
<tbody>${rows.map(([name, text]) => html`<tr><th scope="row">${name}</th><td class="long">${text}</td></tr>`)}</tbody>
</table></div>
`;

function listTable(name: string, entries: readonly JsonObject[]): Markup {
  const flat = entries.slice(0, MOST_ROWS).map((entry) => new Map(leaves(entry)));
  const columns = [...new Set(flat.flatMap((entry) => [...entry.keys()]))].slice(0, MOST_COLUMNS);
  const left = entries.length - flat.length;
  const row = (entry: ReadonlyMap<string, string>): Content =>
    html`<tr>${columns.map((column) => html`<td class="word">${entry.get(column)}</td>`)}</tr>`;
  return html`<div class="scroll"><table>
<caption class="shown">${name}${left > 0 ? ` (first ${flat.length} of ${entries.length})` : undefined}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col" class="word">${column}</th>`)}</tr></thead>
<tbody>${flat.map(row)}</tbody>
</table></div>
`;
}

/** Values of an object with the paths to them; a list inside is shown as text. */
function leaves(fields: JsonObject, path = "", depth = 0): [string, string][] {
  return Object.entries(fields).flatMap(([key, value]): [string, string][] => {
    const name = path === "" ? key : `${path}.${key}`;
    return isObject(value) && depth < DEEPEST ? leaves(value, name, depth + 1) : [[name, shown(value)]];
  });
}

const isTable = (value: unknown): value is JsonObject[] =>
  Array.isArray(value) && value.length > 0 && value.every((entry) => isObject(entry));

function shown(value: unknown): string {
  if (Array.isArray(value)) return cut(value.slice(0, 20).map(scalar).join(", "));
  return cut(scalar(value));
}

/** What lies deeper than the tables go is not spelled out. */
function scalar(value: unknown): string {
  if (typeof value === "number") return String(Number(value.toPrecision(6)));
  return typeof value === "object" && value !== null ? "…" : String(value);
}

function cut(text: string): string {
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}
