// The course of training: dev NDCG@10 and loss over steps with the kept step marked, learning rate and gradient norm small.

import { type Content, html, type Markup } from "../../page/markup.js";
import { count, duration, percent, points, short, size } from "../../page/numbers.js";
import { FLAT_PLOT } from "../charts/frame.js";
import { lineChart, type Point } from "../charts/line-chart.js";
import { isMissing, type ReportData, type Training, type TrainingRow } from "../data.js";
import { figure, folded, missingSection, section, sideBySide, table } from "./parts.js";
import { sweepTable } from "./sweep.js";

/** Longer tables are folded away on screen. */
const SHOWN_ROWS = 20;

export function trainingSection({ training }: ReportData): Markup {
  const heading = "Training";
  if (isMissing(training)) return missingSection("training", heading, training.missing);
  return section("training", heading, endSentence(training), [
    sideBySide([devFigure(training), lossFigure(training)]),
    sideBySide([
      smallFigure(training, "learning_rate", "Learning rate"),
      smallFigure(training, "gradient_norm", "Gradient norm before clipping"),
    ]),
    rowsTable(training),
    sweepTable(training),
  ]);
}

const ENDED: Record<string, string> = {
  finished: "Training went through all its steps.",
  early_stop: "Training stopped early: the last evaluations brought no gain.",
  below_base: "Training stopped early: dev NDCG@10 stayed below the base for three evaluations.",
};

function endSentence(training: Training): string {
  const { ended, seconds, tokens_per_second, memory_bytes, parameters, device, precision } = training;
  const facts = [
    seconds === null ? undefined : `${duration(seconds)} of optimizer steps`,
    tokens_per_second === null ? undefined : `${count(tokens_per_second)} tokens/s`,
    memory_bytes === null ? undefined : `${size(memory_bytes)} peak memory`,
    `${(parameters / 1e6).toFixed(1)} M parameters`,
    `${device}, ${precision}`,
  ].filter((fact) => fact !== undefined);
  const end = ENDED[ended] ?? `Training ended: ${ended.replaceAll("_", " ")}.`;
  return `${end} ${keptSentence(training)} ${seedsSentence(training)}${facts.join("; ")}.`;
}

function seedsSentence({ seeds }: Training): string {
  if (seeds === null) return "";
  const each = seeds.runs.map(({ seed, dev_ndcg }) => `${seed} ${dev_ndcg === null ? "collapsed" : percent(dev_ndcg)}`);
  const kept =
    seeds.kept === "average"
      ? `the average of seeds ${seeds.averaged.join(", ")} was kept`
      : `seed ${seeds.best_seed} was kept`;
  return `Dev NDCG@10 of the seeds: ${each.join(", ")}; ${kept}, the figures show seed ${seeds.best_seed}. `;
}

function keptSentence({ steps, best_step, interpolation, student }: Training): string {
  if (interpolation?.alpha === 0)
    return "No mixture of tuned and base weights was better than the base, so its weights were kept.";
  if (best_step === 0 && student !== null)
    return "No evaluation was better than the cut model before its first step, so that was kept.";
  if (best_step === 0)
    return "No evaluation was better than the base by half a standard error, so its weights were kept.";
  const kept = `The weights of step ${count(best_step)} of ${count(steps)} were kept`;
  if (interpolation === null) return `${kept}.`;
  const { alpha, dev_ndcg } = interpolation;
  return `${kept}, mixed with those of the base: ${alpha} tuned and ${short(1 - alpha)} base, dev NDCG@10 ${percent(dev_ndcg)}.`;
}

type Field = Exclude<keyof TrainingRow, "step">;

const pointsOf = (rows: readonly TrainingRow[], field: Field, factor = 1): Point[] =>
  rows.flatMap((row) => (row[field] === null ? [] : [{ x: row.step, y: factor * (row[field] as number) }]));

const lastStep = ({ rows, steps }: Training): number => rows.reduce((most, { step }) => Math.max(most, step), steps);

const keptMark = ({ best_step }: Training) => ({ x: best_step, label: `kept: step ${best_step}` });

function devFigure(training: Training): Content {
  const evaluated = training.rows.filter(({ dev_ndcg }) => dev_ndcg !== null);
  const [first] = evaluated;
  if (first === undefined) return html`<p class="footnote">No evaluation on dev was recorded.</p>`;
  const kept = evaluated.find(({ step }) => step === training.best_step) ?? first;
  const [before, after] = [first.dev_ndcg as number, kept.dev_ndcg as number];
  const start = startOf(training);
  const sentence = `Dev NDCG@10 is ${percent(before)} for ${start} and ${percent(after)} at the kept step ${kept.step}: ${points(after - before)} points. The dev split chose this step, so its figure flatters; the test split judges.`;
  const drawing = lineChart({
    id: "dev-ndcg",
    title: "Dev NDCG@10 over steps",
    description: sentence,
    points: pointsOf(evaluated, "dev_ndcg", 100),
    xLabel: "step",
    show: short,
    lastX: lastStep(training),
    marked: keptMark(training),
    reference: { y: 100 * before, label: "before training" },
  });
  return figure(drawing, "Dev NDCG@10, times 100", html`<p>${sentence}</p>`);
}

function startOf({ base_is_reranker, student }: Training): string {
  if (student !== null) return `the student of ${count(student.layers)} layers before its first step`;
  return base_is_reranker ? "the base" : "the base with a fresh head";
}

function lossFigure(training: Training): Content {
  const losses = pointsOf(training.rows, "loss");
  const [first, last] = [losses[0], losses.at(-1)];
  if (first === undefined || last === undefined) return html`<p class="footnote">No loss was recorded.</p>`;
  const sentence = `The training loss goes from ${short(first.y)} at step ${first.x} to ${short(last.y)} at step ${last.x}. Each point is the mean since the point before.`;
  const drawing = lineChart({
    id: "loss",
    title: "Training loss over steps",
    description: sentence,
    points: losses,
    xLabel: "step",
    show: short,
    lastX: lastStep(training),
    marked: keptMark(training),
  });
  return figure(drawing, "Training loss", html`<p>${sentence}</p>`);
}

function smallFigure(training: Training, field: Field, title: string): Content {
  const values = pointsOf(training.rows, field);
  const [first, last] = [values[0], values.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const largest = values.reduce((most, { y }) => Math.max(most, y), 0);
  const description = `${title}: ${short(first.y)} at step ${first.x}, ${short(last.y)} at step ${last.x}, largest ${short(largest)}.`;
  const drawing = lineChart({
    id: field.replace("_", "-"),
    title: `${title} over steps`,
    description,
    points: values,
    xLabel: "step",
    show: short,
    plot: FLAT_PLOT,
    lastX: lastStep(training),
  });
  return figure(drawing, title, html`<p>${description}</p>`);
}

function rowsTable({ rows, best_step }: Training): Markup {
  const number = (value: number | null) => (value === null ? "–" : short(value));
  const body = rows.map((row) => [
    count(row.step),
    row.dev_ndcg === null ? "–" : percent(row.dev_ndcg),
    row.loss === null ? "–" : row.loss.toFixed(4),
    number(row.learning_rate),
    number(row.gradient_norm),
    row.step === best_step ? "kept" : "",
  ]);
  const head = ["step", "dev NDCG@10", "loss", "learning rate", "gradient norm", ""];
  const strong = rows.findIndex(({ step }) => step === best_step);
  const drawn = table({ caption: "Evaluations during training", head, rows: body, left: [5], strong });
  return rows.length > SHOWN_ROWS ? folded(`All ${rows.length} evaluations`, drawn) : drawn;
}
