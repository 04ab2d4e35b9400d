// The style sheet of the registry's pages, and the one policy by which a browser takes it and nothing else.
import { createHash } from "node:crypto";
import { BASE_STYLE, CLOSING_STYLE, SCROLL_STYLE, TABLE_STYLE } from "../../page/style.js";

export const STYLE = `${BASE_STYLE}
section { margin-top: 2.25rem; }
a { color: var(--blue); text-underline-offset: .15em; }
.trail { margin: 0 0 1.25rem; font-size: .9rem; }
.models { list-style: none; margin: 1.5rem 0 0; padding: 0; display: grid; gap: .75rem; }
.models li { padding: 1rem 1.2rem; border: 1px solid var(--rule); border-radius: .5rem; }
.models h2 { font-size: 1.1rem; margin: 0 0 .2rem; overflow-wrap: anywhere; }
.models p { margin: 0; color: var(--quiet); font-size: .9rem; }
.tag { display: inline-block; padding: .05rem .5rem; margin: 0 .3rem .2rem 0; border-radius: 1rem; background: var(--ground); border: 1px solid var(--rule); color: var(--ink); font-size: .8rem; white-space: nowrap; }
.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .3rem 1.25rem; margin: 1rem 0 0; }
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
pre { margin: 0 0 1rem; padding: 1rem 1.2rem; background: var(--ground); border-radius: .5rem; overflow-x: auto; font: .85rem/1.5 ui-monospace, "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace; }
.card { padding: .4rem 1.2rem; border: 1px solid var(--rule); border-radius: .5rem; overflow-wrap: anywhere; }
.card h3, .card h4, .card h5, .card h6 { margin: 1.4rem 0 .5rem; font-size: 1rem; }
.card h3 { font-size: 1.15rem; }
.card td { white-space: normal; }
.card td:first-child { padding-left: 0; }
td.long { white-space: normal; overflow-wrap: anywhere; min-width: 14rem; text-align: left; }
${SCROLL_STYLE}
${TABLE_STYLE}
${CLOSING_STYLE}
@media (max-width: 32rem) {
  main { padding: 1.5rem 1rem 2rem; }
  h1 { font-size: 1.5rem; }
  .facts { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .facts dd { margin: 0 0 .5rem; }
  th, td { padding-inline: .45rem; }
}
`;

const digest = createHash("sha256").update(STYLE).digest("base64");

/** No script, no picture, no frame, no form, nothing from elsewhere; of styles this sheet alone. */
export const POLICY = `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
