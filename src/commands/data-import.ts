// `data import`: labelled data of any form into another, and what was settled or lost on the way.
import { basename, resolve } from "node:path";
import { type ImportResult, importData } from "../data-tools/import.js";
import type { DataFormat, TargetForm } from "../dataset/forms.js";
import type { Paint } from "../ui/colors.js";
import type { Renderable } from "../ui/output.js";
import { type CommandContext, displayPath, programName } from "./context.js";

export interface DataImportFlags {
  out: string;
  from: DataFormat | "auto";
  to: TargetForm;
}

/** @throws RerankTuneError DATA_NOT_FOUND, DATA_INVALID, USAGE, NOT_WRITABLE, DISK_FULL. */
export async function dataImport(path: string, flags: DataImportFlags, context: CommandContext): Promise<Renderable> {
  const { emit } = context;
  // Paths as they were typed: errors repeat them.
  const imported = await importData({ path, from: flags.from, to: flags.to, out: flags.out, emit });
  const result = { ...imported, out: resolve(imported.out) };
  const program = await programName();
  return {
    data: result,
    essential: result.out,
    text: (paint) => importText(result, program, paint),
  };
}

const SETTLED: Record<keyof ImportResult["settled"], string> = {
  conflicts: "pairs have two different labels; the higher one is kept",
  duplicates: "pairs are exact duplicates; one of each is kept",
  empty: "texts are empty; their rows are left out",
  encoding: "rows hold bytes that are not UTF-8; save the file as UTF-8",
  unknown: "rows of the run name queries that the data does not have; they are left out",
  adjusted: "values are read otherwise than they stand there",
};

/** Places shown of each kind; `--json` lists more. */
const SHOWN = 5;

export function importText(result: ImportResult, program: string, paint: Paint): string {
  const { from, to, out, queries, judgements, positives, teacher_scores, lost } = result;
  const teacher = teacher_scores === 0 ? "" : `, ${teacher_scores} teacher scores`;
  const noticed = noticedIn(result);
  return [
    `${from} -> ${to}: ${queries} queries, ${judgements} judged passages (${positives} relevant${teacher})`,
    `wrote ${displayPath(out)}`,
    ...block(paint, "noticed", noticed),
    ...block(
      paint,
      `lost, because ${to} has no place for it`,
      lost.map(({ count, says }) => `${count} ${says}`),
    ),
    ...block(paint, "next", [`${program} init recipe.yaml --data ${displayPath(out)}`]),
  ].join("\n");
}

function noticedIn(result: ImportResult): string[] {
  const { settled, unused_fields, unjudged_queries, renamed_passages, without_positives } = result;
  const kinds = (Object.keys(SETTLED) as (keyof typeof SETTLED)[])
    .filter((kind) => settled[kind].total > 0)
    .map((kind) => `${settled[kind].total} ${SETTLED[kind]} (${placesOf(settled[kind])})`);
  const unused = Object.entries(unused_fields).map(
    ([name, rows]) => `${rows} rows have a field ${name} that is not used`,
  );
  const counted = [
    [without_positives, "queries have no relevant passage"],
    [unjudged_queries, "queries have no judgement; they are left out"],
    [renamed_passages, "passages have another id now: the same text has another, or another text has the same"],
  ] as const;
  return [...kinds, ...unused, ...counted.filter(([count]) => count > 0).map(([count, says]) => `${count} ${says}`)];
}

/** Fields first where they are known, then the first lines. */
function placesOf({ listed, total }: ImportResult["settled"]["empty"]): string {
  const fields = [...new Set(listed.map(({ path }) => path).filter((path) => path !== undefined))];
  const places = listed
    .slice(0, SHOWN)
    .map(({ file = "", line }) => `${basename(file)}${line === undefined ? "" : `:${line}`}`);
  const named = fields.length === 0 ? "" : `${fields.join(", ")}: `;
  return `${named}${places.join(", ")}${total > SHOWN ? ", ..." : ""}`;
}

function block(paint: Paint, heading: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", paint("bold", heading), ...lines.map((line) => `  ${line}`)];
}
