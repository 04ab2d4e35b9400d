// A line over steps, with one step marked and one value for reference where they are given.
import { html, type Markup } from "../../page/markup.js";
import { type Axis, chart, LINE_PLOT, line, type Plot } from "./frame.js";
import { coordinate, linearScale } from "./scale.js";

export interface Point {
  x: number;
  y: number;
}

export interface LineChartOptions {
  id: string;
  title: string;
  description: string;
  points: readonly Point[];
  xLabel: string;
  show(value: number): string;
  plot?: Plot;
  /** Both axes of several charts run over the same steps. */
  lastX: number;
  /** A point to point out, with a word. */
  marked?: { x: number; label: string };
  /** A horizontal line to compare with. */
  reference?: { y: number; label: string };
}

/** A line with its points. The vertical axis does not start at 0: what counts is the change. */
export function lineChart(options: LineChartOptions): Markup {
  const { id, title, description, points, plot = LINE_PLOT, reference } = options;
  const values = [...points.map(({ y }) => y), ...(reference === undefined ? [] : [reference.y])];
  const ticks = plot.bottom - plot.top < 150 ? 3 : 5;
  const y = linearScale(Math.min(...values), Math.max(...values), [plot.bottom, plot.top], { ticks });
  const x = linearScale(0, Math.max(1, options.lastX), [plot.left, plot.right], { exact: true, ticks: 6 });
  const [across, up]: [Axis, Axis] = [
    { scale: x, label: options.xLabel, show: String },
    { scale: y, label: "", show: options.show },
  ];
  const path = points.map(
    (point, index) => `${index === 0 ? "M" : "L"}${coordinate(x.at(point.x))} ${coordinate(y.at(point.y))}`,
  );
  return chart({ id, title, description, plot, x: across, y: up }, [
    reference === undefined ? undefined : referenceLine(reference, y.at(reference.y), plot),
    html`<path class="line" d="${path.join("")}"/>`,
    points.map(
      (point) =>
        html`<circle class="point" cx="${coordinate(x.at(point.x))}" cy="${coordinate(y.at(point.y))}" r="3"><title>${`${options.xLabel} ${point.x}: ${options.show(point.y)}`}</title></circle>`,
    ),
    markedPoint(options, across, up, plot),
  ]);
}

function referenceLine({ label }: { label: string }, y: number, plot: Plot): Markup {
  return html`${line("reference", plot.left, y, plot.right, y)}<text class="note" x="${plot.right}" y="${coordinate(referenceText(y, plot))}" text-anchor="end">${label}</text>`;
}

/** Below the line at the top of the plot, else above it; at the right, where curves have left their start. */
const referenceText = (y: number, plot: Plot): number => (y < plot.top + 16 ? y + 14 : y - 5);

function markedPoint(
  { points, marked, reference }: LineChartOptions,
  across: Axis,
  up: Axis,
  plot: Plot,
): Markup | undefined {
  const point = points.find(({ x }) => x === marked?.x);
  if (point === undefined || marked === undefined) return undefined;
  const [x, y] = [across.scale.at(point.x), up.scale.at(point.y)];
  const left = x < (plot.left + plot.right) / 2;
  const taken = reference === undefined ? [] : [referenceText(up.scale.at(reference.y), plot)];
  const text = freeHeight(y, taken, plot);
  return html`${line("marked", x, plot.top, x, plot.bottom)}<circle class="chosen" cx="${coordinate(x)}" cy="${coordinate(y)}" r="5.5"/>
<text class="note strong" x="${coordinate(x + (left ? 8 : -8))}" y="${coordinate(text)}" text-anchor="${left ? "start" : "end"}">${marked.label}</text>`;
}

/** Where a note beside the marked line covers neither the curve's end at `y` nor other notes: at the foot, else at the top, else half way. */
function freeHeight(y: number, taken: readonly number[], { top, bottom }: Plot): number {
  const middle = (top + bottom) / 2;
  const free = (text: number) => Math.abs(text - 4 - y) > 24 && taken.every((other) => Math.abs(text - other) > 14);
  return [bottom - 8, top + 12].find(free) ?? middle;
}
