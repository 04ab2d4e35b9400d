// What people read of `folds`: tables of systems, folds and slices, the verdict, and the command for the final model. Computes nothing.
import { resolve } from "node:path";
import type { SliceReport } from "../ranking/slices.js";
import type { Paint } from "../ui/colors.js";
import { percent } from "../ui/format.js";
import { shellWord } from "../ui/shell-word.js";
import { columns, resultTable } from "../ui/table.js";
import { wrapText } from "../ui/wrap.js";
import { displayPath } from "./context.js";
import type { FinalTraining, FoldsData, FoldsFlags } from "./folds-data.js";
import type { FoldRow, FoldsResult } from "./folds-verdict.js";

export function foldsText(data: FoldsData, commands: readonly string[], paint: Paint, width?: number): string {
  const { verdict, final } = data;
  const said = (name: string, text: string) => wrapText(`${name.padEnd(11)}${text}`, width, 11);
  const lines = ["", resultTable(data.variants, paint), "", foldTable(data, paint)];
  if (verdict.slices.length > 0) lines.push("", sliceTable(verdict.slices, paint));
  lines.push("", said("verdict", verdict.summary));
  if (final === null) return lines.join("\n");
  lines.push(said("final", finalText(data, final)), "", paint("bold", "next"));
  return [...lines, ...commands.map((command) => `  ${command}`)].join("\n");
}

function foldTable({ folds, verdict: { against, comparison }, variants }: FoldsResult, paint: Paint): string {
  const mean = (name: string) => variants.find((row) => row.name === name)?.["ndcg@10"] ?? 0;
  const rows = folds.map((row) => [
    String(row.fold),
    String(row.queries),
    percent(row.reference),
    percent(row.tuned),
    gain(row),
    `${row.best_step}/${row.steps}`,
    row.ended.replaceAll("_", " "),
  ]);
  const head = ["fold", "queries", against.replace("_", " "), "tuned", "gain [95 %]", "best step", "ended"];
  const all = ["all", String(comparison.queries), percent(mean(against)), percent(mean("tuned")), gain(comparison)];
  const [first = "", ...body] = columns([head, ...rows, [...all, "", ""]], [4, 6]);
  return [paint("bold", first), ...body].join("\n");
}

/** Most that a slice's name may take of 80 columns; names are the data's own words. */
const NAME_WIDTH = 30;

function sliceTable(slices: readonly SliceReport[], paint: Paint): string {
  const short = (name: string) => (name.length > NAME_WIDTH ? `${name.slice(0, NAME_WIDTH - 1)}…` : name);
  const rows = slices.map((slice) => [
    slice.by.replace("_", " "),
    short(slice.name),
    String(slice.queries),
    gain(slice),
    slice.significant_loss ? "loses" : "",
  ]);
  const [first = "", ...body] = columns([["slice", "", "queries", "gain [95 %]", ""], ...rows], [1, 3, 4]);
  return [paint("bold", first), ...body].join("\n");
}

function gain({ mean, interval: [low, high] }: Pick<FoldRow, "mean" | "interval">): string {
  return `${signedPercent(mean)} [${signedPercent(low)}, ${signedPercent(high)}]`;
}

/** A resampled mean may be -1e-17: no minus sign before a zero. */
function signedPercent(value: number): string {
  const text = percent(value).replace(/^-(?=0\.00$)/, "");
  return text === "0.00" || value < 0 ? text : `+${text}`;
}

function finalText({ folds, median }: FoldsResult, { epochs, keeps_split }: FinalTraining): string {
  const passes = epochs === 1 ? "epoch" : "epochs";
  const steps = `the best step was ${median.best_step} in the median of ${folds.length} folds, after ${epochs} ${passes}; train once more for so long`;
  const judged = keeps_split
    ? "That run has a verdict of its own, on the data's own test split"
    : "That run proves its package on a test split of its own, too small for a verdict, so it is published on the strength of this one";
  return `${steps}. ${judged}`;
}

/**
 * The run that makes the final model, with the person's own arguments. Its split stays: the usual one leaves as much to learn
 * from as a fold had, and the gates of int8 need the queries that are held back. Broken after each `\`, to be pasted as it is.
 */
export function finalCommand(
  program: string,
  path: string,
  flags: FoldsFlags,
  { epochs, keeps_split }: FinalTraining,
): string[] {
  const places = [
    ...(flags.artifacts === "artifacts" ? [] : [`--artifacts ${shellWord(flags.artifacts)}`]),
    ...(flags.registry === undefined ? [] : [`--registry ${shellWord(flags.registry)}`]),
  ];
  const set = [...flags.set, `train.epochs=${epochs}`, ...(keeps_split ? [] : ["publish.against_verdict=true"])];
  const recipe = path === "-" ? path : shellWord(displayPath(resolve(path)));
  const parts = [
    [`${program} run ${recipe}`, ...places].join(" "),
    ...set.map((override) => `  --set ${shellWord(override)}`),
  ];
  return parts.map((part, index) => (index < parts.length - 1 ? `${part} \\` : part));
}
