// `eval`: one model folder on one split of a BEIR folder, beside the first stage that found its candidates.
import { resolve } from "node:path";
import { type Evaluation, evaluate } from "../evaluation/index.js";
import { INTERVAL_METRICS, type IntervalMetric } from "../evaluation/metrics.js";
import type { VariantName } from "../model-folder/layout.js";
import type { Paint } from "../ui/colors.js";
import { percent, rate } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { columns } from "../ui/table.js";
import { type CommandContext, displayPath } from "./context.js";

export interface EvaluateFlags {
  model: string;
  data: string;
  split: string;
  run?: string;
  variant?: VariantName;
  depth?: number;
  queries?: number;
  maxLength?: number;
  out?: string;
}

export async function evaluateModel(flags: EvaluateFlags, context: CommandContext): Promise<Renderable> {
  const { split, run, out, variant, depth, queries, maxLength } = flags;
  const { signal, emit, python } = context;
  const measured = await evaluate({
    model: resolve(flags.model),
    data: resolve(flags.data),
    split,
    signal,
    emit,
    python,
    ...(run === undefined ? {} : { run: resolve(run) }),
    ...(out === undefined ? {} : { out: resolve(out) }),
    ...(variant === undefined ? {} : { variant }),
    ...(depth === undefined ? {} : { depth }),
    ...(queries === undefined ? {} : { queries }),
    ...(maxLength === undefined ? {} : { maxLength }),
  });
  return {
    data: measured,
    essential: percent(measured.metrics["ndcg@10"] ?? 0),
    text: (paint) => evaluationText(measured, paint),
  };
}

/** What was measured on what, the table, and what a reader must know to trust it. */
export function evaluationText(measured: Evaluation, paint: Paint): string {
  const { model, sample } = measured;
  const count = (value: number) => value.toLocaleString("en-US");
  const drawn = sample === null ? "" : ` (drawn from ${count(sample.of)}, seed ${sample.seed})`;
  const from = measured.run === null ? "BM25 over the corpus" : displayPath(measured.run);
  const found = measured.first_stage_source === "found" ? ", found in the data folder" : "";
  const [head = "", ...body] = columns(
    [["", "first stage", "model", "difference [95 %]"], ...metricRows(measured)],
    [3],
  );
  const [candidates, relevant] = [count(measured.candidates), count(measured.relevant)];
  return [
    `model       ${displayPath(model.folder)} (${model.variant ?? "model.safetensors"}), ${model.max_length} tokens`,
    `data        ${displayPath(measured.data)}, split ${measured.split}: ${count(measured.queries)} queries${drawn}`,
    `candidates  ${candidates}, at most ${measured.depth} a query, from ${from}${found}`,
    "",
    paint("bold", head),
    ...body,
    "",
    `missed      ${count(measured.missed)} of ${relevant} relevant passages are not among the candidates`,
    `unwinnable  ${count(measured.queries_without_relevant_candidate)} of ${count(measured.queries)} queries have no relevant candidate, ${count(measured.queries_without_candidates)} none at all`,
    `cut         ${count(measured.pairs_at_max_length)} of ${candidates} pairs fill ${model.max_length} tokens; longer ones are cut`,
    `speed       ${rate(measured.pairs_per_second)} pairs/s on ${measured.device}, tokenizing included`,
    ...(measured.out === null ? [] : [`run         ${displayPath(measured.out)}`]),
  ].join("\n");
}

function metricRows({ metrics, first_stage, difference }: Evaluation): string[][] {
  const cell = (value: number | null | undefined) => (value === null || value === undefined ? "-" : percent(value));
  return Object.entries(metrics).map(([name, value]) => [
    LABELS[name] ?? name,
    cell(first_stage[name]),
    cell(value),
    isIntervalMetric(name) ? signedInterval(difference[name]) : "",
  ]);
}

const LABELS: Record<string, string> = { tie_rate: "tied scores", "ndcg@10_tie_averaged": "ndcg@10 over ties" };

function isIntervalMetric(name: string): name is IntervalMetric {
  return (INTERVAL_METRICS as readonly string[]).includes(name);
}

function signedInterval({ mean, interval }: Evaluation["difference"][IntervalMetric]): string {
  // A resampled mean may be -1e-17: no minus sign before a zero.
  const signed = (value: number) =>
    percent(value)
      .replace(/^(?=\d)/, value > 0 ? "+" : "")
      .replace(/^[+-](?=0\.00$)/, "");
  return `${signed(mean)} [${signed(interval[0])}, ${signed(interval[1])}]`;
}
