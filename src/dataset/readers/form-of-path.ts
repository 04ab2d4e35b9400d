// Decides the form of labelled data by its path and its first rows. Reads no further than that.
import { readdir, stat } from "node:fs/promises";
import type { RerankTuneError } from "../../errors.js";
import { dataInvalid, dataNotFound, Findings } from "../findings.js";
import { type DataFormat, FOLDER_FORMS, FORM_EXAMPLES } from "../forms.js";
import { formsOfRow } from "./row-forms.js";
import { isTable, type Row, readLines, readTableRows } from "./rows.js";
import { trecParts } from "./trec.js";

/** How the person named the path and names a form, for hints. */
export interface SourceWords {
  source: string;
  form(name: string): string;
}

export const OF_RECIPE: SourceWords = {
  source: "`prepare.source` in the recipe; it is relative to the recipe file",
  form: (name) => `\`prepare.format: ${name}\``,
};

/** Rows that are looked at before the form is settled. */
const FIRST_ROWS = 20;

/** Forms that can stand in a table; the others need lists. */
const TABLE_FORMS: readonly DataFormat[] = ["pairs", "sentence_transformers", "rag_retrieval"];

/**
 * The form to read `path` as: the wanted one, or for `auto` the one that its first rows have.
 * @throws RerankTuneError DATA_NOT_FOUND, or DATA_INVALID when the form cannot be told or may be one of several.
 */
export async function formatOf(path: string, wanted: DataFormat | "auto", words: SourceWords): Promise<DataFormat> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw dataNotFound(`There is no file or folder ${path}.`, `correct ${words.source}`);
  if (wanted !== "auto" && found.isDirectory() !== FOLDER_FORMS.includes(wanted))
    throw dataInvalid(
      `${path} is a ${found.isDirectory() ? "folder" : "file"}, which ${words.form(wanted)} is not.`,
      `set ${words.form("auto")}, or name the right file or folder`,
    );
  if (wanted !== "auto") return wanted;
  return found.isDirectory() ? await formatOfFolder(path, words) : await formatOfFile(path, words);
}

/** Judgements in a folder `qrels` are BEIR's, in a file beside the corpus TREC's. */
async function formatOfFolder(path: string, words: SourceWords): Promise<DataFormat> {
  const entries = await readdir(path, { withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  const trec = trecParts(files).qrels.length > 0;
  const beir = entries.some((entry) => entry.isDirectory() && entry.name === "qrels");
  if (trec && beir)
    throw ambiguous(`${path} has a folder and a file of judgements`, ["beir", "trec"], words, [
      { file: path, message: "has both a folder qrels and a qrels file" },
    ]);
  return trec ? "trec" : "beir";
}

async function formatOfFile(path: string, words: SourceWords): Promise<DataFormat> {
  const rows = await firstRows(path);
  const formsOf = (row: Row): DataFormat[] =>
    formsOfRow(row.values).filter((name) => !isTable(path) || TABLE_FORMS.includes(name));
  const likely = rows.map((row) => ({ ...row, forms: formsOf(row) })).filter(({ forms }) => forms.length > 0);
  const [first] = likely;
  if (first === undefined) {
    // A table without known columns is read as pairs, whose reader names the columns that are missing.
    if (isTable(path)) return "pairs";
    throw unknownForm(path, rows[0], words);
  }
  const common = likely.reduce((left, { forms }) => left.filter((form) => forms.includes(form)), first.forms);
  if (common.length === 1) return common[0] as DataFormat;
  if (common.length > 1)
    throw ambiguous(`${path} may be of ${common.length} forms`, common, words, [
      { file: path, line: first.line, message: `has the keys ${keysOf(first)}` },
    ]);
  const other = likely.find(({ forms }) => !forms.some((form) => first.forms.includes(form))) ?? first;
  throw ambiguous(`${path} mixes rows of different forms`, [...first.forms, ...other.forms], words, [
    { file: path, line: first.line, message: `has the keys ${keysOf(first)}` },
    { file: path, line: other.line, message: `has the keys ${keysOf(other)}` },
  ]);
}

/** The first rows that can be read as objects. @throws RerankTuneError DATA_INVALID when there is none. */
async function firstRows(path: string): Promise<Row[]> {
  const rows: Row[] = [];
  if (isTable(path)) {
    for await (const row of readTableRows(path, new Findings())) return [row];
    return rows;
  }
  let [firstLine, seen] = [0, 0];
  for await (const { line, text } of readLines(path)) {
    firstLine ||= line;
    const values = parsed(text);
    if (values !== undefined) rows.push({ line, values });
    if (++seen === FIRST_ROWS) break;
  }
  if (seen === 0) throw dataInvalid(`${path} is empty.`, "write one labelled pair a line: query, passage, label");
  if (rows.length === 0)
    throw dataInvalid(
      `${path} is neither JSONL, CSV nor TSV: line ${firstLine} is not JSON.`,
      "name the file .jsonl, .csv or .tsv after its form",
      [{ file: path, line: firstLine, message: "is not JSON" }],
    );
  return rows;
}

/** Undefined for what is no JSON; what is JSON but no object has no keys. */
function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return undefined;
  }
}

const keysOf = ({ values }: Row): string => Object.keys(values).slice(0, 20).join(", ");

function ambiguous(
  what: string,
  forms: readonly DataFormat[],
  words: SourceWords,
  problems: { file: string; line?: number; message: string }[],
): RerankTuneError {
  const names = [...new Set(forms)];
  return dataInvalid(
    `${what}: ${names.join(" or ")}.`,
    `say which: ${names.map((name) => words.form(name)).join(" or ")}`,
    problems,
  );
}

function unknownForm(file: string, row: Row | undefined, words: SourceWords): RerankTuneError {
  const message =
    row === undefined || Object.keys(row.values).length === 0 ? "is not a JSON object" : `has the keys ${keysOf(row)}`;
  const examples = [FORM_EXAMPLES.pairs, FORM_EXAMPLES.groups, FORM_EXAMPLES.flag_embedding];
  return dataInvalid(
    `The form of ${file} cannot be told from its first rows.`,
    `write rows as ${examples.join(" or ")}, or name the form with ${words.form("FORM")}`,
    [{ file, message, ...(row === undefined ? {} : { line: row.line }) }],
  );
}
