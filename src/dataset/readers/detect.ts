// Decides the form of `prepare.source` and reads it. The readers know the forms.
import { stat } from "node:fs/promises";
import { RerankTuneError } from "../../errors.js";
import { dataInvalid } from "../findings.js";
import type { DataFormat, LabelledData } from "../labelled.js";
import { readBeir } from "./beir.js";
import { readFlagEmbedding } from "./flag-embedding.js";
import { readGradedGroups } from "./graded-groups.js";
import { readPairs } from "./pairs.js";
import { plainName, readLines } from "./rows.js";

const READERS: Record<DataFormat, (path: string) => Promise<LabelledData>> = {
  pairs: readPairs,
  groups: readGradedGroups,
  flag_embedding: readFlagEmbedding,
  beir: readBeir,
};

/**
 * Reads labelled data; findings that do not stop the reading are in `findings` of the result.
 * @throws RerankTuneError DATA_NOT_FOUND, or DATA_INVALID when the form cannot be told.
 */
export async function readLabelledData(path: string, format: DataFormat | "auto"): Promise<LabelledData> {
  return await READERS[await formatOf(path, format)](path);
}

async function formatOf(path: string, wanted: DataFormat | "auto"): Promise<DataFormat> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    throw new RerankTuneError({
      code: "DATA_NOT_FOUND",
      message: `There is no file or folder ${path}.`,
      hint: "correct `prepare.source` in the recipe; it is relative to the recipe file",
    });
  if (found.isDirectory() !== (wanted === "beir") && wanted !== "auto")
    throw dataInvalid(
      `${path} is a ${found.isDirectory() ? "folder" : "file"}, which \`prepare.format: ${wanted}\` is not.`,
      "set `prepare.format: auto`, or name the right file or folder",
    );
  if (wanted !== "auto") return wanted;
  return found.isDirectory() ? "beir" : await formatOfFile(path);
}

async function formatOfFile(path: string): Promise<DataFormat> {
  if (/\.(csv|tsv|tab)$/.test(plainName(path))) return "pairs";
  for await (const { line, text } of readLines(path)) return formatOfRow(path, line, text);
  throw dataInvalid(`${path} is empty.`, "write one labelled pair a line: query, passage, label");
}

const FORMS =
  'write rows as {"query", "passage", "label"}, {"query", "passages": [...]} or {"query", "pos": [...], "neg": [...]}';

function formatOfRow(file: string, line: number, text: string): DataFormat {
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch {
    throw dataInvalid(
      `${file} is neither JSONL, CSV nor TSV: line ${line} is not JSON.`,
      "name the file .jsonl, .csv or .tsv after its form",
      [{ file, line, message: "is not JSON" }],
    );
  }
  const keys = row !== null && typeof row === "object" && !Array.isArray(row) ? Object.keys(row) : [];
  if (keys.includes("passages")) return "groups";
  if (keys.includes("pos")) return "flag_embedding";
  if (keys.includes("passage") || keys.includes("label")) return "pairs";
  const problem = {
    file,
    line,
    message: keys.length === 0 ? "is not a JSON object" : `has the keys ${keys.slice(0, 20).join(", ")}`,
  };
  throw dataInvalid(`The form of ${file} cannot be told from its first row.`, FORMS, [problem]);
}
