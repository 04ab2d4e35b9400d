// Whether a sigmoid of the score can be read as a probability: a diagram a system, calibration error and Brier score.

import { type Content, html, type Markup } from "../../page/markup.js";
import { count, interval, percent } from "../../page/numbers.js";
import type { ReliabilityBin } from "../../ranking/calibration.js";
import { reliabilityDiagram, reliabilityEnd } from "../charts/reliability-diagram.js";
import { isMissing, type Reliability, type ReportData } from "../data.js";
import { figure, folded, missingSection, section, sideBySide, table } from "./parts.js";

export function reliabilitySection({ reliability }: ReportData): Markup {
  const heading = "Reliability";
  if (isMissing(reliability)) return missingSection("reliability", heading, reliability.missing);
  const end = reliabilityEnd(reliability.flatMap(({ calibration }) => calibration.bins));
  const calibrated = reliability.some(({ system }) => system === "tuned, after calibration");
  const introduction = html`sigmoid(score) read as the probability that a passage is relevant: on the dashed diagonal the reading is right, below it the model is too sure. Bins hold equally many pairs, but for ties; whiskers are 95 % Wilson intervals. ECE is the mean distance to the diagonal, Brier the mean squared error; both are better the smaller they are.${calibrated ? undefined : " This model was not calibrated."}`;
  const [only] = reliability;
  const body =
    reliability.length === 1 && only !== undefined
      ? diagram(only, end, true)
      : [summary(reliability), sideBySide(reliability.map((one) => diagram(one, end, false)))];
  return section("reliability", heading, introduction, body);
}

const NAMES: Record<Reliability["system"], string> = {
  base: "Base model",
  tuned: "Tuned model",
  "tuned, before calibration": "Tuned model, before calibration",
  "tuned, after calibration": "Tuned model, after calibration",
};

function summary(reliability: readonly Reliability[]): Markup {
  const rows = reliability.map(({ system, calibration: { pairs, relevant, ece, brier } }) => [
    NAMES[system],
    count(pairs),
    `${percent(relevant / pairs)} %`,
    ece.toFixed(4),
    brier.toFixed(4),
  ]);
  return table({ caption: "Calibration", head: ["", "pairs", "relevant", "ECE", "Brier"], rows });
}

function diagram({ system, calibration }: Reliability, end: number, alone: boolean): Markup {
  const { ece, brier, bins, pairs } = calibration;
  const name = NAMES[system];
  const description = `ECE ${ece.toFixed(4)} and Brier ${brier.toFixed(4)} over ${count(pairs)} pairs in ${bins.length} bins.`;
  const id = `reliability-${system.replace(/[^a-z]+/g, "-")}`;
  const drawing = reliabilityDiagram({ id, title: `Reliability: ${name}`, description, bins, end });
  const head = ["predicted", "observed", "95 % interval", "pairs"];
  const numbers = table({ caption: `Bins: ${name}`, head, rows: bins.map(binRow) });
  const bySize = alone ? numbers : folded(`${bins.length} bins in numbers`, numbers);
  return figure(drawing, name, [html`<p>${description}</p>`, bySize], alone);
}

function binRow({ pairs, predicted, observed, interval: edges }: ReliabilityBin): Content[] {
  const share = (value: number) => value.toFixed(3);
  return [predicted.toFixed(4), share(observed), interval(edges, share), count(pairs)];
}
