// Per-query gains as bars from the largest gain to the largest loss.
import { html, type Markup } from "../../page/markup.js";
import { chart, line, PLOT, rectangle } from "./frame.js";
import { coordinate, linearScale } from "./scale.js";

/** More bars than this are thinner than a screen can show. */
export const MOST_BARS = 400;

export interface Bar {
  /** Name of the query, or of how many stand together. */
  label: string;
  /** In points. */
  value: number;
}

export interface GainBarsOptions {
  id: string;
  title: string;
  description: string;
  /** Largest first. */
  bars: readonly Bar[];
  /** Words over the three parts: those above 0, at 0, and below. */
  parts: readonly [above: string, equal: string, below: string];
  xLabel: string;
}

/** Neighbours put together, so that there are at most `most`: each bar is their mean. */
export function thinned(bars: readonly Bar[], most = MOST_BARS): Bar[] {
  const each = Math.ceil(bars.length / most);
  if (each <= 1) return [...bars];
  return Array.from({ length: Math.ceil(bars.length / each) }, (_, index) => {
    const members = bars.slice(index * each, (index + 1) * each);
    const value = members.reduce((sum, bar) => sum + bar.value, 0) / members.length;
    return { label: `mean of ${members.length} queries`, value };
  });
}

/** Needs at least one bar. */
export function gainBars(options: GainBarsOptions): Markup {
  const { id, title, description, bars } = options;
  const extreme = bars.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0);
  const y = linearScale(-extreme, extreme, [PLOT.bottom, PLOT.top], { ticks: 4 });
  const x = linearScale(0, bars.length, [PLOT.left, PLOT.right], { exact: true, ticks: 5 });
  const shown = thinned(bars);
  const width = (PLOT.right - PLOT.left) / shown.length;
  const show = (value: number) => (value > 0 ? `+${value}` : String(value).replace("-", "\u2212"));
  const marks = shown.map(({ label, value }, index) => {
    const left = PLOT.left + index * width;
    const [upper, lower] = [y.at(Math.max(0, value)), y.at(Math.min(0, value))];
    const text = `${label}: ${show(Number(value.toFixed(2)))}`;
    return value === 0 ? undefined : rectangle(value > 0 ? "gain" : "loss", left, upper, width, lower - upper, text);
  });
  return chart(
    {
      id,
      title,
      description,
      x: { scale: x, label: options.xLabel, show: String },
      y: { scale: y, label: "points of NDCG@10", show },
    },
    [marks, line("axis", PLOT.left, y.at(0), PLOT.right, y.at(0)), partLabels(options, x.at, y.at(0))],
  );
}

/** Each word over the middle of its part, where the part is wide enough to carry it. */
function partLabels({ bars, parts }: GainBarsOptions, at: (value: number) => number, zero: number): Markup[] {
  const above = bars.filter(({ value }) => value > 0).length;
  const below = bars.filter(({ value }) => value < 0).length;
  const edges = [0, above, bars.length - below, bars.length].map(at);
  const heights = [zero + 16, zero - 7, zero - 7];
  return parts.flatMap((text, index) => {
    const [from, to] = [edges[index] as number, edges[index + 1] as number];
    if (to - from < 6.6 * text.length) return [];
    return [
      html`<text class="note strong" x="${coordinate((from + to) / 2)}" y="${coordinate(heights[index] as number)}" text-anchor="middle">${text}</text>`,
    ];
  });
}
