// Reads a corpus (JSONL: _id or id, title, text) row by row with the place of each row in the file. Holds one row at a time.
import { createReadStream } from "node:fs";
import type { Findings } from "../../dataset/findings.js";
import { idOf, titledText } from "../../dataset/readers/fields.js";
import { parseObject } from "../../dataset/readers/rows.js";

export interface CorpusPassage {
  /** Place among the passages with text, from 0. */
  index: number;
  id: string;
  text: string;
  /** Where its row begins in the file, bytes. */
  offset: number;
  /** Bytes of its row, without the line break. */
  bytes: number;
}

/** Where to begin: at the first row unless told. Line numbers in findings hold only from there. */
export interface CorpusStart {
  offset: number;
  index: number;
}

const READ_BYTES = 1 << 20;

/**
 * Passages in the order of the file; rows without text are passed over.
 * @param findings gets what is wrong; later passes over a checked file need none.
 */
export async function* passagesOf(
  file: string,
  findings?: Findings,
  start: CorpusStart = { offset: 0, index: 0 },
): AsyncGenerator<CorpusPassage> {
  let { index } = start;
  let line = 0;
  for await (const { offset, bytes } of byteLines(file, start.offset)) {
    line += 1;
    const row = bytes.toString("utf8").replace(/^\uFEFF/, "");
    if (row.trim() === "") continue;
    const found = parsePassage(row, index);
    if (typeof found === "string") {
      findings?.fatal.add({ file, line, message: found, hint: CORPUS_FORM });
      continue;
    }
    if (row.includes("\uFFFD")) findings?.encoding.add({ file, line, message: "holds bytes that are not UTF-8" });
    if (found.text === "") {
      findings?.empty.add({ file, line, path: "text", message: "title and text are empty" });
      continue;
    }
    yield { index, ...found, offset, bytes: bytes.length };
    index += 1;
  }
}

const CORPUS_FORM = 'write one passage a line: {"_id": "p1", "title": "...", "text": "..."} (title may be missing)';

/**
 * Id and text of a row; title and text become one passage as in BEIR's own loaders. A row without an id is called after its place.
 * @returns what is wrong with it, when something is.
 */
export function parsePassage(row: string, index: number): { id: string; text: string } | string {
  const values = parseObject(row);
  if (typeof values === "string") return values;
  const { _id, id, title, text } = values;
  if (typeof text !== "string") return "has no `text`";
  return { id: idOf(_id) ?? idOf(id) ?? `c${index + 1}`, text: titledText(title, text.trim()).trim() };
}

/** Lines as bytes with their offsets; decoding first would lose them. */
async function* byteLines(file: string, start: number): AsyncGenerator<{ offset: number; bytes: Buffer }> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = start;
  for await (const chunk of createReadStream(file, { start, highWaterMark: READ_BYTES })) {
    const data: Buffer = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
    let from = 0;
    for (let end = data.indexOf(0x0a); end >= 0; end = data.indexOf(0x0a, from)) {
      yield { offset: offset + from, bytes: data.subarray(from, end) };
      from = end + 1;
    }
    rest = data.subarray(from);
    offset += from;
  }
  if (rest.length > 0) yield { offset, bytes: rest };
}
