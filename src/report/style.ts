// The style sheet of the report: light, dark and print, wide and narrow.

/** Blue and orange tell series apart for all common kinds of colour vision; no meaning hangs on them alone. */
const COLORS_LIGHT = `
  --paper: #ffffff; --ground: #f5f6f8; --ink: #1a1d23; --quiet: #5a6270; --rule: #dfe3e8;
  --blue: #1f5fbf; --blue-soft: #1f5fbf2e; --orange: #b4560a; --orange-soft: #e0915199;
  --take: #1b7a43; --take-soft: #e9f6ee; --keep: #a05a00; --keep-soft: #fdf3e2;`;
const COLORS_DARK = `
  --paper: #16191f; --ground: #1e222a; --ink: #e8eaee; --quiet: #a4acb9; --rule: #343a45;
  --blue: #7db3ff; --blue-soft: #7db3ff38; --orange: #ffab66; --orange-soft: #c9773a99;
  --take: #6fd398; --take-soft: #16301f; --keep: #f3b75b; --keep-soft: #33270f;`;

export const STYLE = `
:root {${COLORS_LIGHT}
}
@media (prefers-color-scheme: dark) { :root {${COLORS_DARK}
} }
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; -webkit-text-size-adjust: 100%; }
body { margin: 0; }
main { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.5rem 3rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 0 0 .35rem; }
h3 { font-size: 1rem; margin: 0 0 .35rem; }
p { margin: 0 0 .75rem; }
.kind { margin: 0 0 .2rem; color: var(--quiet); font-size: .85rem; letter-spacing: .04em; }
.when { margin: .35rem 0 0; color: var(--quiet); overflow-wrap: anywhere; }
section { margin-top: 3rem; }
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
.scroll {
  overflow-x: auto; margin: 0 0 1rem;
  background: linear-gradient(to right, var(--paper) 1.5rem, transparent 3rem) local, linear-gradient(to left, var(--paper) 1.5rem, transparent 3rem) local,
    linear-gradient(to right, var(--rule), transparent .7rem), linear-gradient(to left, var(--rule), transparent .7rem);
}
.verdict ~ .scroll { margin-top: 1.25rem; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption.shown { text-align: left; font-weight: 600; padding: .2rem 0 .35rem; }
caption.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th, td { padding: .32rem .8rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }
th:first-child { padding-left: 0; }
th[scope="row"], th.word, td.word { text-align: left; }
th[scope="row"] { font-weight: 400; }
thead th { color: var(--quiet); font-weight: 600; border-bottom-color: var(--quiet); }
tr.strong th, tr.strong td { font-weight: 650; background: var(--ground); }
code, .id { font: .88em ui-monospace, "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace; }
figure { margin: 0 0 1.5rem; min-width: 0; }
figure.alone { display: grid; grid-template-columns: minmax(0, 36rem) minmax(0, 1fr); gap: 1rem 2rem; align-items: start; }
figure.alone figcaption { padding-top: 1.9rem; }
figcaption { font-size: .92rem; min-width: 0; }
figcaption > p { color: var(--quiet); }
figcaption th, figcaption td { padding-inline: .5rem; }
figcaption :is(th, td):last-child { padding-right: 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19.5rem), 1fr)); gap: .5rem 2rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 9rem), 1fr)); gap: 0 1.5rem; }
details { margin: .25rem 0 .75rem; }
summary { cursor: pointer; color: var(--blue); padding: .2rem 0; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--rule); color: var(--quiet); font-size: .85rem; }
:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
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
