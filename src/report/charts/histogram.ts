// Two distributions over the same bins, each as shares of its own total, so that few relevant passages show beside many others.
import { html, type Markup } from "../../page/markup.js";
import { chart, PLOT, rectangle } from "./frame.js";
import { coordinate, linearScale, type Scale } from "./scale.js";

export interface HistogramOptions {
  id: string;
  title: string;
  description: string;
  /** Drawn as an outline over the others. */
  front: { label: string; values: readonly number[] };
  /** Drawn as filled bars. */
  back: { label: string; values: readonly number[] };
  xLabel: string;
  bins?: number;
}

export interface Bins {
  from: number;
  width: number;
  /** Share of the values in each bin, 0-1. */
  shares: number[];
}

/** Shares of `values` in `count` bins of equal width from `from` to `to`; the last one holds its upper edge too. */
export function histogramBins(values: readonly number[], from: number, to: number, count: number): Bins {
  const width = (to - from) / count;
  const counts = new Array<number>(count).fill(0);
  for (const value of values) {
    const place = Math.min(count - 1, Math.max(0, Math.floor((value - from) / width)));
    counts[place] = (counts[place] as number) + 1;
  }
  return { from, width, shares: counts.map((number) => (values.length === 0 ? 0 : number / values.length)) };
}

/** Needs at least one value in front or back. */
export function histogram(options: HistogramOptions): Markup {
  const { id, title, description, front, back, bins = 30 } = options;
  const [low, high] = ends([front.values, back.values]);
  const x = linearScale(low, high, [PLOT.left, PLOT.right], { ticks: 8 });
  const [first, second] = [back, front].map(({ values }) => histogramBins(values, ...x.domain, bins)) as [Bins, Bins];
  const y = linearScale(0, Math.max(...first.shares, ...second.shares), [PLOT.bottom, PLOT.top], { ticks: 4 });
  const percentText = (share: number) => `${Number((100 * share).toPrecision(6))} %`;
  return chart(
    {
      id,
      title,
      description,
      x: { scale: x, label: options.xLabel, show: (value) => String(value).replace("-", "\u2212") },
      y: { scale: y, label: "share of its kind", show: percentText },
      legend: [
        { style: "front", label: front.label },
        { style: "back", label: back.label },
      ],
    },
    [bars("back", first, x, y), outline(second, x, y)],
  );
}

/** Without spreading millions of values into one call. */
function ends(lists: readonly (readonly number[])[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const values of lists)
    for (const value of values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  return [low, high];
}

function bars(style: string, { from, width, shares }: Bins, x: Scale, y: Scale): (Markup | undefined)[] {
  return shares.map((share, index) => {
    const [left, right] = [x.at(from + index * width), x.at(from + (index + 1) * width)];
    return share === 0 ? undefined : rectangle(style, left, y.at(share), right - left, y.at(0) - y.at(share));
  });
}

function outline({ from, width, shares }: Bins, x: Scale, y: Scale): Markup {
  const steps = shares.map(
    (share, index) => `V${coordinate(y.at(share))}H${coordinate(x.at(from + (index + 1) * width))}`,
  );
  return html`<path class="front" d="M${coordinate(x.at(from))} ${coordinate(y.at(0))}${steps.join("")}V${coordinate(y.at(0))}Z"/>`;
}
