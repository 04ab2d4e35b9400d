// Rows of JSONL, CSV and TSV files (also .gz) with their line numbers. Knows nothing of what the columns mean.
import { createReadStream, type ReadStream } from "node:fs";
import { basename } from "node:path";
import { pipeline } from "node:stream";
import { createGunzip, type Gunzip } from "node:zlib";
import { CsvError, parse } from "csv-parse";
import { dataInvalid, type Findings } from "../findings.js";
import { linesOf } from "../lines.js";

export interface Row {
  /** 1-based line on which the row begins. */
  line: number;
  values: Record<string, unknown>;
}

/** File name without a trailing .gz, lower-case: what decides how it is read. */
export function plainName(path: string): string {
  return basename(path).toLowerCase().replace(/\.gz$/, "");
}

/** Whether the file's name says that it is a table (CSV, TSV) rather than JSONL. */
export function isTable(path: string): boolean {
  return /\.(csv|tsv|tab)$/.test(plainName(path));
}

/** Rows of a JSONL file or a table, by the file's name. */
export function readRows(path: string, findings: Findings): AsyncGenerator<Row> {
  return isTable(path) ? readTableRows(path, findings) : readJsonRows(path, findings);
}

/** Bytes of a file, unpacked when it ends in .gz. */
function openPlain(path: string): ReadStream | Gunzip {
  const file = createReadStream(path);
  if (!path.toLowerCase().endsWith(".gz")) return file;
  // The callback only keeps the failure from being thrown twice: whoever reads the last stream gets it.
  return pipeline(file, createGunzip(), () => undefined);
}

/**
 * Lines that are not blank, with their 1-based numbers.
 * @throws RerankTuneError DATA_INVALID when a .gz file cannot be unpacked.
 */
export async function* readLines(path: string): AsyncGenerator<{ line: number; text: string }> {
  let line = 0;
  try {
    for await (const text of linesOf(openPlain(path))) {
      line += 1;
      const clean = line === 1 ? text.replace(/^\uFEFF/, "") : text;
      if (clean.trim() !== "") yield { line, text: clean };
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Objects of a JSONL file; other lines become fatal findings. */
export async function* readJsonRows(path: string, findings: Findings): AsyncGenerator<Row> {
  for await (const { line, text } of readLines(path)) {
    if (text.includes("\uFFFD")) findings.encoding.add({ file: path, line, message: "holds bytes that are not UTF-8" });
    const values = parseObject(text);
    if (typeof values === "string")
      findings.fatal.add({ file: path, line, message: values, hint: "write one JSON object a line (JSONL)" });
    else yield { line, values };
  }
}

/** The object of one line, or what is wrong with it. */
export function parseObject(text: string): Record<string, unknown> | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "is not JSON";
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) return "is not a JSON object";
  return value as Record<string, unknown>;
}

interface CsvRecord {
  info: { lines: number };
  record: string[];
}

/** Rows of a CSV or TSV file by the names in its first row (lower-cased); the separator is a tab, comma or semicolon. */
export async function* readTableRows(path: string, findings: Findings): AsyncGenerator<Row> {
  const delimiter = await separatorOf(path);
  const parser = pipeline(
    openPlain(path),
    parse({ delimiter, bom: true, info: true, relax_quotes: true, relax_column_count: true, skip_empty_lines: true }),
    () => undefined,
  );
  let header: string[] | undefined;
  let previousEnd = 0;
  try {
    for await (const { info, record } of parser as AsyncIterable<CsvRecord>) {
      // `info.lines` is the line on which the record ends; a quoted field may hold line breaks.
      const breaks = record.reduce((sum, field) => sum + (field.match(/\n/g)?.length ?? 0), 0);
      const line = Math.max(previousEnd + 1, info.lines - breaks);
      previousEnd = info.lines;
      if (header === undefined) header = record.map((name) => name.trim().toLowerCase());
      else if (record.length !== header.length)
        findings.fatal.add({
          file: path,
          line,
          message: `has ${record.length} fields, the first row has ${header.length}`,
          hint: 'put fields that hold the separator, quotes or line breaks in "double quotes"',
        });
      else yield tableRow(path, line, header, record, findings);
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw unreadable(path, error);
    const line = typeof error.lines === "number" ? error.lines : previousEnd + 1;
    findings.fatal.add({
      file: path,
      line,
      message: error.message,
      hint: 'put fields that hold the separator, quotes or line breaks in "double quotes"',
    });
  }
}

function tableRow(file: string, line: number, header: string[], record: string[], findings: Findings): Row {
  if (record.some((field) => field.includes("\uFFFD")))
    findings.encoding.add({ file, line, message: "holds bytes that are not UTF-8" });
  return { line, values: Object.fromEntries(header.map((name, column) => [name, record[column]])) };
}

/** Excel writes semicolons in half of Europe, so the first line decides, not the file's name. */
async function separatorOf(path: string): Promise<string> {
  if (plainName(path).endsWith(".tsv")) return "\t";
  for await (const { text } of readLines(path)) {
    const counts = [",", ";", "\t"].map((separator) => ({ separator, count: text.split(separator).length }));
    return counts.sort((left, right) => right.count - left.count)[0]?.separator ?? ",";
  }
  return ",";
}

function unreadable(path: string, cause: unknown): Error {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === undefined || !code.startsWith("Z_")) return cause as Error;
  return dataInvalid(
    `${path} cannot be unpacked (${code}).`,
    `check it with \`gzip -t ${path}\`, or unpack it and name the plain file`,
  );
}
