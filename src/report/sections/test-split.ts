// What the scores of the test split show: gains query by query, and how well scores part relevant from other passages.

import { type Content, html, type Markup } from "../../page/markup.js";
import { count, fixed, interval, percent, points } from "../../page/numbers.js";
import { mean, percentile } from "../../ranking/statistics.js";
import { gainBars } from "../charts/gain-bars.js";
import { histogram } from "../charts/histogram.js";
import { type Gains, isMissing, type ReportData, type SystemScores } from "../data.js";
import { figure, missingSection, section, sideBySide, table, words } from "./parts.js";

/** Queries named at either end. */
const NAMED = 5;

export function gainsSection({ gains }: ReportData): Markup {
  const heading = "Gains by query";
  if (isMissing(gains)) return missingSection("gains", heading, gains.missing);
  const { against, comparison, queries } = gains;
  const { wins, ties, losses, mean: gain, interval: edges } = comparison;
  const introduction = `NDCG@10 of the tuned model minus that of the ${words(against)} for each test query, largest gain first. Queries are named by their ids alone.`;
  const sentence = `${count(wins)} queries better, ${count(ties)} equal, ${count(losses)} worse than the ${words(against)}; on average ${points(gain)} points, 95 % interval ${interval(edges, points)}.`;
  const drawing = gainBars({
    id: "gain-bars",
    title: "Gain in NDCG@10 by query, sorted",
    description: sentence,
    bars: queries.map(({ id, gain: value }) => ({ label: id, value: 100 * value })),
    parts: [`${count(wins)} better`, `${count(ties)} equal`, `${count(losses)} worse`],
    xLabel: "test queries, sorted by gain",
  });
  const numbers = [html`<p>${sentence}</p>`, countTable(gains), extremes(gains)];
  return section("gains", heading, introduction, figure(drawing, "Better, equal, worse", numbers, true));
}

function extremes({ queries }: Gains): Markup {
  const gained = queries.filter(({ gain }) => gain > 0).slice(0, NAMED);
  const lost = queries
    .filter(({ gain }) => gain < 0)
    .reverse()
    .slice(0, NAMED);
  return html`<div class="pair">${extremeTable("Largest gains", gained)}${extremeTable("Largest losses", lost)}</div>`;
}

function countTable({ comparison }: Gains): Markup {
  const { wins, ties, losses, queries } = comparison;
  const row = (name: string, number: number): Content[] => [name, count(number), `${percent(number / queries)} %`];
  return table({
    caption: "Queries by outcome",
    head: ["", "queries", "share"],
    rows: [row("better", wins), row("equal", ties), row("worse", losses)],
  });
}

function extremeTable(caption: string, queries: Gains["queries"]): Content {
  if (queries.length === 0) return undefined;
  const rows = queries.map(({ id, gain }) => [html`<span class="id">${id}</span>`, points(gain)]);
  return table({ caption, shown: true, head: ["query id", "points"], rows });
}

export function scoresSection({ scores }: ReportData): Markup {
  const heading = "Scores";
  if (isMissing(scores)) return missingSection("scores", heading, scores.missing);
  const introduction =
    "Raw scores (logits) of all candidates of the test split, relevant ones (label above 0) against the others. The further apart the two shapes stand, the easier a threshold is found. Candidates that nobody judged count as not relevant.";
  const { base, tuned } = scores;
  const body = isMissing(base)
    ? [html`<p class="footnote">${base.missing}</p>`, scoresFigure(tuned, true)]
    : sideBySide([scoresFigure(base, false), scoresFigure(tuned, false)]);
  return section("scores", heading, introduction, body);
}

function scoresFigure({ system, relevant, other }: SystemScores, alone: boolean): Markup {
  const middle = (values: readonly number[]) => (values.length === 0 ? "none" : fixed(percentile(values, 0.5), 2));
  const description = `Scores of the ${system} model: ${count(relevant.length)} relevant passages with median ${middle(relevant)}, ${count(other.length)} others with median ${middle(other)}.`;
  const drawing = histogram({
    id: `scores-${system}`,
    title: `Scores of the ${system} model`,
    description,
    front: { label: "relevant", values: relevant },
    back: { label: "other", values: other },
    xLabel: "score",
  });
  const head = ["", "passages", "mean", "5 %", "50 %", "95 %"];
  const rows = [scoreRow("relevant", relevant), scoreRow("other", other)];
  const numbers = table({ caption: `Mean and percentiles of the scores of the ${system} model`, head, rows });
  return figure(
    drawing,
    system === "base" ? "Base model" : "Tuned model",
    [html`<p>${description}</p>`, numbers],
    alone,
  );
}

function scoreRow(name: string, values: readonly number[]): Content[] {
  if (values.length === 0) return [name, "0", "–", "–", "–", "–"];
  const quantiles = [0.05, 0.5, 0.95].map((share) => fixed(percentile(values, share), 2));
  return [name, count(values.length), fixed(mean(values), 2), ...quantiles];
}
