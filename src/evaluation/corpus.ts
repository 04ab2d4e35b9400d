// Streams the passages of a BEIR corpus. Keeps nothing that the caller did not ask for: a million passages must not sit in memory.
import type { Findings, Place } from "../dataset/findings.js";
import { idOf, titledText } from "../dataset/readers/fields.js";
import { readJsonRows } from "../dataset/readers/rows.js";
import { interrupted } from "../errors.js";

export interface CorpusPassage extends Place {
  id: string;
  /** Title and text as one, joined as BEIR's own loaders do; may be empty. */
  text: string;
}

/** Rows without `_id` or `text` become fatal findings. */
export async function* readPassages(
  file: string,
  findings: Findings,
  signal: AbortSignal,
): AsyncGenerator<CorpusPassage> {
  for await (const { line, values } of readJsonRows(file, findings)) {
    if (signal.aborted) throw interrupted(signal);
    const id = idOf(values._id);
    if (id === undefined || typeof values.text !== "string") {
      const path = id === undefined ? "_id" : "text";
      findings.fatal.add({ file, line, path, message: `has no \`${path}\`` });
    } else yield { id, text: titledText(values.title, values.text.trim()).trim(), file, line };
  }
}

/** The texts of these passages by id; those that the corpus lacks are absent. */
export async function readTexts(
  file: string,
  wanted: ReadonlySet<string>,
  findings: Findings,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for await (const { id, text, line } of readPassages(file, findings, signal)) {
    if (!wanted.has(id)) continue;
    if (texts.has(id)) findings.fatal.add({ file, line, path: "_id", message: "repeats an `_id`" });
    texts.set(id, text);
  }
  return texts;
}
