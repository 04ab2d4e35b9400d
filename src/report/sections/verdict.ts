// The top of the page: what to do, why, and the figures that matter most.

import { type Content, html, type Markup } from "../../page/markup.js";
import { count, duration, interval, percent, points, short } from "../../page/numbers.js";
import { inClusters } from "../../ranking/clusters.js";
import { isWorthTaking } from "../../ranking/outcomes.js";
import { probabilityText } from "../../ranking/significance.js";
import type { Verdict } from "../../stages/verify/schema.js";
import { isMissing, type OpenGate, type ReportData } from "../data.js";
import { sentenceWithCode, table, words } from "./parts.js";

const FOUND: Record<Verdict["outcome"], string> = {
  improved: "A significant gain",
  no_significant_gain: "No significant gain",
  worse: "A significant loss",
  within_limit: "Within the allowed loss of",
  inconclusive: "Too few test queries to tell whether it loses more than the allowed",
  beyond_limit: "It loses more than the allowed",
};

export function verdictBlock(data: ReportData): Markup {
  const { verdict, open_gates } = data;
  const [style, heading, sentence] = isMissing(verdict)
    ? ["open", "No verdict yet", verdict.missing]
    : [isWorthTaking(verdict) ? "take" : "keep", capital(verdict.advice), verdictSentence(verdict)];
  return html`<div class="verdict ${style}"><h2>${heading}</h2><p>${sentenceWithCode(sentence)}</p></div>
${tiles(data)}
${open_gates.length === 0 ? undefined : gateTable(open_gates)}
${isMissing(verdict) || verdict.guards.length === 0 ? undefined : guardTable(verdict)}`;
}

/** The verdict in points of NDCG@10, with everything that it rests on. */
export function verdictSentence({ outcome, against, comparison, student }: Verdict): string {
  const { mean, interval: edges, p_value, exact, queries, wins, ties, losses, smallest_detectable } = comparison;
  const together =
    comparison.clusters === undefined
      ? ""
      : " Queries of one cluster, near-duplicates or of one group, are no independent evidence and were resampled as one.";
  if (student !== undefined)
    return `${FOUND[outcome]} ${percent(-student.gate.limit)} points: with ${count(student.kept_layers.length)} of ${count(student.teacher_layers)} layers it keeps ${shareOf(student)}. NDCG@10 ${points(mean)} points (95 % interval ${interval(edges, points)}) against the teacher over ${count(queries)} test queries${inClusters(comparison, count)} with the same candidates. ${count(wins)} queries got better, ${count(ties)} stayed equal, ${count(losses)} got worse. The smallest loss they could show is ${percent(smallest_detectable)} points.${together}`;
  const test = exact ? "exact paired sign-flip test" : "paired sign-flip test";
  return `${FOUND[outcome]}: NDCG@10 ${points(mean)} points (95 % interval ${interval(edges, points)}) against the ${words(against)} over ${count(queries)} test queries${inClusters(comparison, count)} with the same candidates, p ${equals(p_value)} by the ${test}. ${count(wins)} queries got better, ${count(ties)} stayed equal, ${count(losses)} got worse. A true difference of ${percent(smallest_detectable)} points would be found four times in five.${together}`;
}

function shareOf({ share, share_interval }: NonNullable<Verdict["student"]>): string {
  if (share === null || share_interval === null) return "no measurable share of the teacher's NDCG@10";
  return `${percent(share)} % of the teacher's NDCG@10 (95 % interval ${interval(share_interval)} %)`;
}

export function equals(probability: number): string {
  const text = probabilityText(probability);
  return text.startsWith("<") ? text : `= ${text}`;
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

function tiles({ quality, gains, training, latency }: ReportData): Content {
  const shown: Content[] = [];
  const tuned = isMissing(quality) ? undefined : quality.find(({ name }) => name === "tuned")?.quality;
  if (tuned) shown.push(tile("NDCG@10 on test", percent(tuned["ndcg@10"]), interval(tuned["ndcg@10_interval"])));
  if (!isMissing(gains)) {
    const { wins, ties, losses, queries } = gains.comparison;
    const figures = `${count(wins)} / ${count(ties)} / ${count(losses)}`;
    shown.push(
      tile(
        "better / equal / worse",
        figures,
        `of ${count(queries)} test queries${inClusters(gains.comparison, count)}`,
      ),
    );
  }
  if (!isMissing(training)) {
    const { seconds, best_step, steps } = training;
    const kept = `step ${count(best_step)} of ${count(steps)} kept`;
    shown.push(tile("training", seconds === null ? "–" : duration(seconds), kept));
  }
  const fastest = isMissing(latency) ? undefined : fastestAtMost(latency.rows.filter(isOwn));
  if (fastest)
    shown.push(
      tile(
        `${fastest.variant} on ${fastest.provider}`,
        `${short(fastest.p95_ms)} ms`,
        `p95 at ${fastest.candidates} candidates`,
      ),
    );
  return shown.length === 0 ? undefined : html`<dl class="tiles">${shown}</dl>`;
}

const tile = (name: string, value: string, note: string): Markup =>
  html`<div><dt>${name}</dt><dd><strong>${value}</strong><span>${note}</span></dd></div>`;

/** Rows of a student's teacher stand beside its own. */
const isOwn = ({ variant }: { variant: string }): boolean => !variant.startsWith("teacher ");

/** The fastest row at 50 candidates, which an interactive search hands over at most; else at the most that were measured. */
function fastestAtMost<Row extends { candidates: number; p95_ms: number }>(rows: readonly Row[]): Row | undefined {
  const most = Math.max(...rows.map(({ candidates }) => candidates).filter((candidates) => candidates <= 50));
  return rows.filter(({ candidates }) => candidates === most).sort((left, right) => left.p95_ms - right.p95_ms)[0];
}

function gateTable(gates: readonly OpenGate[]): Markup {
  const rows = gates.map(({ subject, gate, outcome, measured, limit }) => {
    const show = gate.startsWith("ndcg") ? points : short;
    return [subject, words(gate), outcome, measured === null ? "–" : show(measured), show(limit)];
  });
  const head = ["where", "gate", "outcome", "measured", "limit"];
  return table({ caption: "Gates that did not pass", shown: true, head, rows, left: [1, 2] });
}

function guardTable({ guards }: Verdict): Markup {
  const rows = guards.map(({ name, queries, clusters, against, gate }) => [
    name,
    `${count(queries)}${inClusters({ clusters }, count)}`,
    words(against),
    gate.measured === null ? "–" : points(gate.measured),
    points(gate.limit),
    gate.outcome,
  ]);
  const head = ["guard set", "queries", "against", "NDCG@10, points", "allowed", "outcome"];
  return table({
    caption: "Guard sets",
    shown: true,
    head,
    rows,
    left: [2, 5],
  });
}
