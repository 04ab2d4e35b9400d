// Texts of files, one at a time: every string in each row of JSON lines, or each line of anything else; gzipped files are unpacked on the way.
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { linesOf } from "../dataset/lines.js";
import { fromFileSystemError, RerankTuneError } from "../errors.js";

/** @throws RerankTuneError DATA_NOT_FOUND; DATA_INVALID for a row that is not JSON, by its line. */
export async function* textsOf(files: readonly string[]): AsyncGenerator<string> {
  for (const file of files) yield* textsOfFile(file);
}

async function* textsOfFile(file: string): AsyncGenerator<string> {
  const isJson = /\.jsonl(?:\.gz)?$/.test(file);
  let number = 0;
  try {
    for await (const line of linesOf(bytesOf(file))) {
      number += 1;
      if (line.trim() === "") continue;
      if (isJson) yield* strings(parseRow(line, file, number));
      else yield line;
    }
  } catch (error) {
    throw readingFailed(error, file);
  }
}

function bytesOf(file: string): Readable {
  const bytes = createReadStream(file);
  const plain = file.endsWith(".gz") ? bytes.pipe(createGunzip()) : bytes;
  if (plain !== bytes) bytes.on("error", (error) => plain.destroy(error));
  return plain;
}

function parseRow(line: string, file: string, number: number): unknown {
  try {
    return JSON.parse(line.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw new RerankTuneError({
      code: "DATA_INVALID",
      message: `${file} line ${number} is not JSON.`,
      hint: "give JSON lines, or a plain text file that is not called .jsonl",
      cause,
    });
  }
}

function* strings(value: unknown): Generator<string> {
  if (typeof value === "string") yield value;
  else if (value !== null && typeof value === "object") for (const item of Object.values(value)) yield* strings(item);
}

function readingFailed(error: unknown, file: string): unknown {
  if (error instanceof RerankTuneError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "EISDIR")
    return new RerankTuneError({
      code: "DATA_NOT_FOUND",
      message: code === "ENOENT" ? `There is no file ${file}.` : `${file} is a folder.`,
      hint: "name files of texts with --corpus, such as corpus.jsonl, queries.jsonl.gz or a .txt",
      cause: error,
    });
  if (code?.startsWith("Z_"))
    return new RerankTuneError({
      code: "DATA_INVALID",
      message: `${file} is no whole gzip file.`,
      hint: "pack it again, or give it unpacked under another name",
      cause: error,
    });
  return fromFileSystemError(error, file) ?? error;
}
