// Predicted probability against observed share, with the diagonal on which both are equal.

import { html, type Markup } from "../../page/markup.js";
import type { ReliabilityBin } from "../../ranking/calibration.js";
import { chart, line, SQUARE_PLOT } from "./frame.js";
import { coordinate, linearScale } from "./scale.js";

export interface ReliabilityOptions {
  id: string;
  title: string;
  description: string;
  bins: readonly ReliabilityBin[];
  /** Upper end of both axes, 0-1: the same for diagrams that are compared. */
  end: number;
}

/** The upper end of both axes that shows every bin with its interval: round, and at most 1. */
export function reliabilityEnd(bins: readonly ReliabilityBin[]): number {
  const highest = Math.max(...bins.flatMap(({ predicted, interval }) => [predicted, interval[1]]));
  return Math.min(1, linearScale(0, highest, [0, 1]).domain[1]);
}

export function reliabilityDiagram({ id, title, description, bins, end }: ReliabilityOptions): Markup {
  const x = linearScale(0, end, [SQUARE_PLOT.left, SQUARE_PLOT.right], { exact: true });
  const y = linearScale(0, end, [SQUARE_PLOT.bottom, SQUARE_PLOT.top], { exact: true });
  const show = (value: number) => String(value);
  const axes = {
    x: { scale: x, label: "mean predicted probability", show },
    y: { scale: y, label: "share that is relevant", show },
  };
  const path = bins.map(({ predicted, observed }) => `${coordinate(x.at(predicted))} ${coordinate(y.at(observed))}`);
  return chart({ id, title, description, plot: SQUARE_PLOT, ...axes }, [
    line("reference", x.at(0), y.at(0), x.at(end), y.at(end)),
    bins.map(({ predicted, interval }) =>
      line("whisker", x.at(predicted), y.at(interval[0]), x.at(predicted), y.at(interval[1])),
    ),
    html`<path class="line" d="M${path.join("L")}"/>`,
    bins.map(
      ({ predicted, observed, pairs }) =>
        html`<circle class="point" cx="${coordinate(x.at(predicted))}" cy="${coordinate(y.at(observed))}" r="3.5"><title>${`predicted ${predicted.toFixed(3)}, observed ${observed.toFixed(3)}, ${pairs} pairs`}</title></circle>`,
    ),
  ]);
}
