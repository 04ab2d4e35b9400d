// The style sheet of the report: light, dark and print, wide and narrow.
import { BASE_STYLE, CLOSING_STYLE, COLORS_LIGHT, SCROLL_STYLE, TABLE_STYLE } from "../page/style.js";

export const STYLE = `${BASE_STYLE}section { margin-top: 3rem; }
.introduction, .missing p { color: var(--quiet); max-width: 46rem; margin-bottom: 1rem; }
.footnote { color: var(--quiet); font-size: .9rem; }
.verdict { margin-top: 1.75rem; padding: 1.1rem 1.3rem; border-radius: .5rem; border-left: .35rem solid var(--quiet); background: var(--ground); }
.verdict h2 { font-size: 1.5rem; }
.verdict p { margin: 0; max-width: 52rem; }
.verdict.take { border-color: var(--take); background: var(--take-soft); }
.verdict.take h2 { color: var(--take); }
.verdict.keep { border-color: var(--keep); background: var(--keep-soft); }
.verdict.keep h2 { color: var(--keep); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin: 1rem 0 0; }
.tiles > div { padding: .8rem 1rem; border: 1px solid var(--rule); border-radius: .5rem; }
.tiles dt { color: var(--quiet); font-size: .85rem; }
.tiles dd { margin: 0; }
.tiles strong { display: block; font-size: 1.4rem; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--quiet); font-size: .85rem; }
${SCROLL_STYLE}
.verdict ~ .scroll { margin-top: 1.25rem; }
${TABLE_STYLE}
figure { margin: 0 0 1.5rem; min-width: 0; }
figure.alone { display: grid; grid-template-columns: minmax(0, 36rem) minmax(0, 1fr); gap: 1rem 2rem; align-items: start; }
figure.alone figcaption { padding-top: 1.9rem; }
figcaption { font-size: .92rem; min-width: 0; }
figcaption > p { color: var(--quiet); }
figcaption th, figcaption td { padding-inline: .5rem; }
figcaption :is(th, td):last-child { padding-right: 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19.5rem), 1fr)); gap: .5rem 2rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 9rem), 1fr)); gap: 0 1.5rem; }
${CLOSING_STYLE}
.chart { display: block; width: 100%; height: auto; overflow: visible; }
.chart text { font-size: 12px; fill: var(--ink); }
.chart .tick, .chart .label { fill: var(--quiet); }
.chart .note { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
.chart .strong { font-weight: 600; }
.chart.square { max-width: 27rem; }
.chart .grid { stroke: var(--rule); }
.chart .axis { stroke: var(--quiet); }
.chart path.line { fill: none; stroke: var(--blue); stroke-width: 2; stroke-linejoin: round; }
.chart .point { fill: var(--blue); }
.chart .chosen { fill: var(--paper); stroke: var(--blue); stroke-width: 3; }
.chart .marked { stroke: var(--blue); stroke-dasharray: 2 3; }
.chart .reference { stroke: var(--quiet); stroke-dasharray: 6 4; }
.chart .whisker { stroke: var(--blue); stroke-opacity: .55; stroke-width: 1.5; }
.chart .front { fill: var(--blue-soft); stroke: var(--blue); stroke-width: 1.75; }
.chart .back { fill: var(--orange-soft); }
.chart .gain { fill: var(--blue); }
.chart .loss { fill: var(--orange); }
@media (max-width: 52rem) { figure.alone { grid-template-columns: minmax(0, 1fr); gap: .25rem; } figure.alone figcaption { padding-top: 0; } }
@media (max-width: 32rem) {
  main { padding: 1.5rem 1rem 2rem; }
  h1 { font-size: 1.5rem; }
  .chart:not(.square) text { font-size: 15px; }
  th, td { padding-inline: .45rem; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .tiles strong { font-size: 1.15rem; }
}
@media print {
  :root {${COLORS_LIGHT}
  }
  html { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  section { margin-top: 1.6rem; }
  h2, h3, .introduction { break-after: avoid; }
  figure, .verdict, .tiles, tr { break-inside: avoid; }
  figure.alone { grid-template-columns: 55% minmax(0, 1fr); }
  .scroll { overflow: visible; background: none; }
  table { font-size: .82rem; }
  th, td { padding-block: .22rem; }
  details::details-content { content-visibility: visible; block-size: auto; }
  summary { color: inherit; list-style: none; }
}
`;
