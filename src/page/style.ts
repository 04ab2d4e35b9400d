// What the style sheets of all pages share: colours in light and dark, type, tables that scroll, what folds.

/** Blue and orange tell series apart for all common kinds of colour vision; no meaning hangs on them alone. */
export const COLORS_LIGHT = `
  --paper: #ffffff; --ground: #f5f6f8; --ink: #1a1d23; --quiet: #5a6270; --rule: #dfe3e8;
  --blue: #1f5fbf; --blue-soft: #1f5fbf2e; --orange: #b4560a; --orange-soft: #e0915199;
  --take: #1b7a43; --take-soft: #e9f6ee; --keep: #a05a00; --keep-soft: #fdf3e2;`;
const COLORS_DARK = `
  --paper: #16191f; --ground: #1e222a; --ink: #e8eaee; --quiet: #a4acb9; --rule: #343a45;
  --blue: #7db3ff; --blue-soft: #7db3ff38; --orange: #ffab66; --orange-soft: #c9773a99;
  --take: #6fd398; --take-soft: #16301f; --keep: #f3b75b; --keep-soft: #33270f;`;

/** The ground of every page. */
export const BASE_STYLE = `
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
`;

/** A wide table scrolls in its box, with a shadow where it goes on. */
export const SCROLL_STYLE = `.scroll {
  overflow-x: auto; margin: 0 0 1rem;
  background: linear-gradient(to right, var(--paper) 1.5rem, transparent 3rem) local, linear-gradient(to left, var(--paper) 1.5rem, transparent 3rem) local,
    linear-gradient(to right, var(--rule), transparent .7rem), linear-gradient(to left, var(--rule), transparent .7rem);
}`;

export const TABLE_STYLE = `table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption.shown { text-align: left; font-weight: 600; padding: .2rem 0 .35rem; }
caption.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th, td { padding: .32rem .8rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }
th:first-child { padding-left: 0; }
th[scope="row"], th.word, td.word { text-align: left; }
th[scope="row"] { font-weight: 400; }
thead th { color: var(--quiet); font-weight: 600; border-bottom-color: var(--quiet); }
tr.strong th, tr.strong td { font-weight: 650; background: var(--ground); }
code, .id { font: .88em ui-monospace, "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace; }`;

export const CLOSING_STYLE = `details { margin: .25rem 0 .75rem; }
summary { cursor: pointer; color: var(--blue); padding: .2rem 0; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--rule); color: var(--quiet); font-size: .85rem; }
:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }`;
