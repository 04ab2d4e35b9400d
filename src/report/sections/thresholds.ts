// What a limit on the probability would keep: a table for whoever drops passages before an answer is written from them.

import { type Content, html, type Markup } from "../../page/markup.js";
import { count, interval, percent } from "../../page/numbers.js";
import { isMissing, type ReportData, type Share, type ThresholdRow, type Thresholds } from "../data.js";
import { missingSection, section, sentenceWithCode, table } from "./parts.js";

export function thresholdsSection({ thresholds }: ReportData): Markup {
  const heading = "Thresholds";
  if (isMissing(thresholds)) return missingSection("thresholds", heading, thresholds.missing);
  const { pairs, relevant } = thresholds;
  const introduction = html`What stays of the ${count(pairs)} candidates of the test split, ${count(relevant)} of them relevant, when a search drops those with sigmoid(score) below a threshold. Precision: how many of those kept are relevant. Recall: how many of the relevant candidates are kept. The intervals are Wilson's, somewhat too narrow because passages of one query resemble one another. ${sentenceWithCode(trust(thresholds))}`;
  const head = [
    "threshold",
    "kept",
    "share kept",
    "relevant",
    "precision, %",
    "95 % interval",
    "recall, %",
    "95 % interval",
  ];
  return section(
    "thresholds",
    heading,
    introduction,
    table({
      caption: "Precision and recall by threshold",
      head,
      rows: thresholds.rows.map((row) => rowOf(row, pairs)),
    }),
  );
}

function trust({ calibrated, rows }: Thresholds): string {
  if (calibrated) return "The scores are calibrated: a threshold is the least probability that a kept passage has.";
  const calibrate = "`--set train.calibrate=true` calibrates them without a change of any ranking.";
  if (rows.every(({ kept }) => kept === 0))
    return `The scores are not calibrated and all lie below the lowest threshold, so that no threshold of this table is of use; ${calibrate}`;
  return `The scores are not calibrated: a threshold is no probability here, and another training moves it; ${calibrate}`;
}

function rowOf({ threshold, kept, relevant_kept, precision, recall }: ThresholdRow, pairs: number): Content[] {
  return [
    threshold.toFixed(2),
    count(kept),
    `${percent(pairs === 0 ? 0 : kept / pairs)} %`,
    count(relevant_kept),
    ...cells(precision),
    ...cells(recall),
  ];
}

const cells = (share: Share): Content[] =>
  share === null ? ["–", ""] : [percent(share.value), interval(share.interval)];
