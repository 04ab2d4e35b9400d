// Runs `data check` on rows written to a folder, and tells what a rule said.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkData } from "../../../../src/data-tools/check/index.js";
import type { CheckOptions, CheckResult } from "../../../../src/data-tools/check/options.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";

export type CheckMore = Partial<Omit<CheckOptions, "source">>;

/** One JSON object a line; a text is written as it is. */
export const lines = (rows: readonly unknown[]): string =>
  rows.map((row) => `${typeof row === "string" ? row : JSON.stringify(row)}\n`).join("");

export async function checkPath(source: string, more: CheckMore = {}): Promise<CheckResult> {
  const scratch = await temporaryFolder();
  return await checkData({
    source,
    format: "auto",
    scratch,
    signal: new AbortController().signal,
    emit: () => undefined,
    ...more,
  });
}

export async function checkRows(rows: readonly unknown[], more: CheckMore = {}): Promise<CheckResult> {
  const file = join(await temporaryFolder(), "data.jsonl");
  await writeFile(file, lines(rows));
  return await checkPath(file, more);
}

/** Checks files of a folder, by name. */
export async function checkFiles(
  files: Record<string, readonly unknown[]>,
  more: CheckMore = {},
): Promise<CheckResult> {
  const folder = await temporaryFolder();
  for (const [name, rows] of Object.entries(files)) await writeFile(join(folder, name), lines(rows));
  return await checkPath(folder, more);
}

/** Line and message of what a rule said. */
export function said(result: CheckResult, rule: string): [number | null, string][] {
  return result.findings.filter((finding) => finding.rule === rule).map(({ line, message }) => [line, message]);
}

/** A file of base scores. */
export async function scoreFile(
  rows: readonly (readonly [query: string, passage: string, score: number])[],
): Promise<string> {
  const file = join(await temporaryFolder(), "scores.tsv");
  await writeFile(file, rows.map((row) => `${row.join("\t")}\n`).join(""));
  return file;
}

/** Pairs that no rule has anything to say of. */
export const CLEAN = [
  {
    query: "when must the lease be signed",
    passage: "The lease must be signed before the first of the month.",
    label: 1,
  },
  { query: "when must the lease be signed", passage: "Visitors park behind the building.", label: 0 },
  { query: "who pays for the repair of a window", passage: "The landlord pays for windows and doors.", label: 1 },
  { query: "who pays for the repair of a window", passage: "Invoices are due within thirty days.", label: 0 },
];
