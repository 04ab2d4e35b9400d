// Reads the two text files of a collection: passages (corpus) and queries, as JSONL or as `id<TAB>text`. Used by the folder forms.
import type { Place } from "../findings.js";
import type { LabelledData, LabelledQuery } from "../labelled.js";
import { countUnused } from "./entries.js";
import { groupsOf, idOf, keyField, textField, titledText, titleOf } from "./fields.js";
import { plainName, readJsonRows, readLines } from "./rows.js";

/** Names of fields, first come first served; BEIR knows the first of each alone. */
export interface CollectionNames {
  id: readonly string[];
  text: readonly string[];
}

interface Entry {
  place: Place;
  id: string | undefined;
  values: Record<string, unknown>;
  text: unknown;
}

/** Adds every passage under its own id; one without title and text stays out of candidates but its id stays known. */
export async function readCorpus(data: LabelledData, file: string, names: CollectionNames): Promise<void> {
  for await (const { place, id, values, text } of entriesOf(data, file, names)) {
    if (id === undefined) {
      data.findings.fatal.add({ ...place, path: names.id[0] ?? "", message: `has no \`${names.id[0]}\`` });
      continue;
    }
    countUnused(data, values, [...names.id, ...names.text, "title"], "corpus.");
    const body = typeof text === "string" ? text.trim() : undefined;
    const whole = body === undefined ? undefined : titledText(values.title, body).trim();
    if (whole === undefined) data.findings.fatal.add({ ...place, path: "text", message: "has no `text`" });
    else if (whole === "") data.findings.empty.add({ ...place, path: "text", message: "title and text are empty" });
    // A passage that is all title has no text of its own to follow one.
    const title = body === "" ? undefined : titleOf(values.title);
    if (whole !== undefined && data.addPassage(id, whole, title) === undefined)
      data.findings.fatal.add({
        ...place,
        path: names.id[0] ?? "",
        message: `repeats an \`${names.id[0]}\``,
        hint: `give every passage its own \`${names.id[0]}\``,
      });
  }
}

/** @returns all queries by id, none of them judged yet. */
export async function readQueries(
  data: LabelledData,
  file: string,
  names: CollectionNames,
): Promise<Map<string, LabelledQuery>> {
  const queries = new Map<string, LabelledQuery>();
  for await (const { place, id, values, text } of entriesOf(data, file, names)) {
    if (id === undefined || queries.has(id)) {
      const message = id === undefined ? `has no \`${names.id[0]}\`` : `repeats an \`${names.id[0]}\``;
      data.findings.fatal.add({ ...place, path: names.id[0] ?? "", message });
      continue;
    }
    countUnused(data, values, [...names.id, ...names.text, "lang", "group"], "queries.");
    data.queryIds.add(id);
    const lang = keyField(data, place, "lang", values.lang);
    queries.set(id, {
      id,
      hasOwnId: true,
      text: textField(data, place, "text", text) ?? "",
      groups: groupsOf(values.group),
      judgements: new Map(),
      ...place,
      ...(lang === undefined ? {} : { lang }),
    });
  }
  return queries;
}

async function* entriesOf(data: LabelledData, file: string, names: CollectionNames): AsyncGenerator<Entry> {
  if (!/\.jsonl?$/.test(plainName(file))) {
    yield* tabbedEntries(data, file);
    return;
  }
  for await (const { line, values } of readJsonRows(file, data.findings)) {
    const first = (list: readonly string[]): unknown => values[list.find((name) => name in values) ?? ""];
    yield { place: { file, line }, id: idOf(first(names.id)), values, text: first(names.text) };
  }
}

async function* tabbedEntries(data: LabelledData, file: string): AsyncGenerator<Entry> {
  for await (const { line, text } of readLines(file)) {
    const place = { file, line };
    const fields = text.split("\t");
    if (fields.length !== 2) {
      data.findings.fatal.add({
        ...place,
        message: `has ${fields.length} fields, not \`id<TAB>text\``,
        hint: "write one id, a tab and the text a line, or JSONL with `id`, `title` and `text`",
      });
      continue;
    }
    if (text.includes("\uFFFD")) data.findings.encoding.add({ ...place, message: "holds bytes that are not UTF-8" });
    yield { place, id: idOf(fields[0]), values: {}, text: fields[1] };
  }
}
