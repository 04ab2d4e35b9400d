// The frame every chart shares: an SVG with title and description for screen readers, axes, grid and legend. Draws no data.
import { type Content, html, type Markup } from "../../page/markup.js";
import { coordinate, type Scale } from "./scale.js";

/** Drawing area in units of the view box; the page scales it to the width there is. */
export interface Plot {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export const PLOT: Plot = { width: 480, height: 270, left: 52, right: 468, top: 34, bottom: 226 };
/** Without room for a label above the axis: the heading says what it shows. */
export const LINE_PLOT: Plot = { ...PLOT, height: 250, top: 12, bottom: 206 };
/** Flat charts for what matters less. */
export const FLAT_PLOT: Plot = { ...LINE_PLOT, height: 160, bottom: 116 };
/** Both axes alike, and letters that stay readable three to a row. */
export const SQUARE_PLOT: Plot = { width: 340, height: 340, left: 44, right: 326, top: 30, bottom: 294 };

export interface Axis {
  scale: Scale;
  /** Empty where the heading of the chart says it. */
  label: string;
  show(value: number): string;
}

export interface LegendEntry {
  /** Class of the style sheet that gives the colour. */
  style: string;
  label: string;
}

export interface ChartOptions {
  /** Unique in the page. */
  id: string;
  title: string;
  /** The finding in words and numbers, for those who do not see the picture. */
  description: string;
  plot?: Plot;
  x: Axis;
  y: Axis;
  legend?: readonly LegendEntry[];
}

/** The chart around its marks, which are drawn between grid and axes. */
export function chart(options: ChartOptions, marks: Content): Markup {
  const { id, title, description, x, y, plot = PLOT, legend = [] } = options;
  return html`<svg class="chart${plot.width === plot.height ? " square" : ""}" viewBox="0 0 ${plot.width} ${plot.height}" role="img" aria-labelledby="${id}-title ${id}-desc">
<title id="${id}-title">${title}</title><desc id="${id}-desc">${description}</desc>
${y.scale.ticks.map((tick) => yTick(tick, y, plot))}
${x.scale.ticks.map((tick) => xTick(tick, x, plot))}
${marks}
${line("axis", plot.left, plot.bottom, plot.right, plot.bottom)}
${y.label === "" ? undefined : html`<text class="label" x="${plot.left}" y="${plot.top - 16}">${y.label}</text>`}
<text class="label" x="${(plot.left + plot.right) / 2}" y="${plot.bottom + 38}" text-anchor="middle">${x.label}</text>
${legendRow(legend, plot)}</svg>`;
}

export function line(style: string, x1: number, y1: number, x2: number, y2: number): Markup {
  const [a, b, c, d] = [x1, y1, x2, y2].map(coordinate);
  return html`<line class="${style}" x1="${a}" y1="${b}" x2="${c}" y2="${d}"/>`;
}

export function rectangle(style: string, x: number, y: number, width: number, height: number, title?: string): Markup {
  const [a, b, c, d] = [x, y, width, height].map(coordinate);
  const inside = title === undefined ? undefined : html`<title>${title}</title>`;
  return html`<rect class="${style}" x="${a}" y="${b}" width="${c}" height="${d}">${inside}</rect>`;
}

function yTick(tick: number, { scale, show }: Axis, plot: Plot): Markup {
  const y = scale.at(tick);
  return html`${line("grid", plot.left, y, plot.right, y)}<text class="tick" x="${plot.left - 7}" y="${coordinate(y + 4)}" text-anchor="end">${show(tick)}</text>`;
}

function xTick(tick: number, { scale, show }: Axis, plot: Plot): Markup {
  const x = scale.at(tick);
  return html`${line("axis", x, plot.bottom, x, plot.bottom + 4)}<text class="tick" x="${coordinate(x)}" y="${plot.bottom + 18}" text-anchor="middle">${show(tick)}</text>`;
}

/** Right-aligned above the plot; widths follow from the letters, as nothing measures text without a script. */
function legendRow(entries: readonly LegendEntry[], plot: Plot): Content {
  const placed: Markup[] = [];
  let end = plot.right;
  for (const { style, label } of [...entries].reverse()) {
    const start = end - 18 - 6.6 * label.length;
    placed.push(html`<rect class="${style}" x="${coordinate(start)}" y="${plot.top - 26}" width="12" height="12"/>
<text class="tick" x="${coordinate(start + 17)}" y="${plot.top - 16}">${label}</text>`);
    end = start - 14;
  }
  return placed;
}
