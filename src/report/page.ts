// The training report as one HTML text: nothing is loaded from elsewhere, nothing needs a script. Pure: equal data give equal bytes.

import { html, type Markup, trusted } from "../page/markup.js";
import { time } from "../page/numbers.js";
import type { ReportData } from "./data.js";
import { makingSection } from "./sections/making.js";
import { latencySection, qualitySection, slicesSection } from "./sections/quality.js";
import { reliabilitySection } from "./sections/reliability.js";
import { gainsSection, scoresSection } from "./sections/test-split.js";
import { thresholdsSection } from "./sections/thresholds.js";
import { trainingSection } from "./sections/training.js";
import { verdictBlock } from "./sections/verdict.js";
import { STYLE } from "./style.js";

/** Stands near the top of every report, so that the command knows its own files. */
export const GENERATOR = '<meta name="generator" content="rerank-tune report">';

/** What the browser is told to refuse: the page brings everything along. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

export function renderReport(data: ReportData): string {
  const { recipe, making } = data;
  const trained = making.stages.find(({ name }) => name === "train");
  const page = html`<!doctype html>
<html lang="en">
${head(recipe)}
<body>
<main>
<header><p class="kind">Training report</p><h1>${recipe}</h1>
<p class="when">${trained === undefined ? undefined : `Trained ${time(trained.started)}`}${making.base === null ? undefined : ` from ${making.base}`}</p></header>
${verdictBlock(data)}
${qualitySection(data)}${trainingSection(data)}${gainsSection(data)}${slicesSection(data)}${scoresSection(data)}${reliabilitySection(data)}${thresholdsSection(data)}${latencySection(data)}${makingSection(data)}
<footer>Made by rerank-tune from the artifacts of this run. Holds query ids, and no text of a query or passage.</footer>
</main>
</body>
</html>
`;
  return page.markup;
}

const head = (recipe: string): Markup => html`<head>
<meta charset="utf-8">
${trusted(GENERATOR)}
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${recipe}: training report</title>
<style>${trusted(STYLE)}</style>
</head>`;
