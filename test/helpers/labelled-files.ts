// Small labelled files for the tests of readers, writers and data tools, and what was read from them as plain rows.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ProblemList } from "../../src/dataset/findings.js";
import type { DataFormat, LabelledData } from "../../src/dataset/labelled.js";
import { readLabelledData } from "../../src/dataset/readers/detect.js";
import { temporaryFolder } from "./temporary-folder.js";

export const jsonl = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** A folder with these files; names may hold folders. */
export async function folderWith(files: Record<string, string | Uint8Array>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

/** Reads a single file of this content; rows become JSONL. */
export async function readRowsOf(
  content: string | readonly unknown[],
  format: DataFormat | "auto" = "auto",
  name = "rows.jsonl",
): Promise<LabelledData> {
  const text = typeof content === "string" ? content : jsonl(content);
  return await readLabelledData(join(await folderWith({ [name]: text }), name), format);
}

/** Query, passage, label, and the teacher's score where there is one. */
export function judged(data: LabelledData): unknown[][] {
  return data.queries.flatMap((query) =>
    [...query.judgements].map(([passage, { label, teacher_score }]) => [
      query.text,
      data.passageTexts[passage],
      label,
      ...(teacher_score === undefined ? [] : [teacher_score]),
    ]),
  );
}

/** Line and field of every problem, such as `3 label`. */
export function places(list: ProblemList): string[] {
  return list.listed.map(({ line, path }) => `${line}${path === undefined ? "" : ` ${path}`}`);
}
