// The mixtures of tuned and base weights that were tried: what each brought on dev and cost on guard sets, and which was kept.

import { type Content, html, type Markup } from "../../page/markup.js";
import { count, percent, points, short } from "../../page/numbers.js";
import type { Mixture, Sweep, Training } from "../data.js";
import { sentenceWithCode, table } from "./parts.js";

/** Nothing where nothing was mixed. */
export function sweepTable({ sweep }: Training): Content {
  const base = sweep?.mixtures.find(({ alpha }) => alpha === 0);
  if (sweep === null || base === undefined) return undefined;
  const { mixtures, chosen_alpha } = sweep;
  const head = [
    "tuned share",
    "dev NDCG@10",
    "points",
    ...base.guards.map((_, index) => `guard set${base.guards.length === 1 ? "" : ` ${index + 1}`}, points`),
    "",
  ];
  const rows = mixtures.map((mixture) => rowOf(mixture, base, chosen_alpha));
  const strong = mixtures.findIndex(({ alpha }) => alpha === chosen_alpha);
  return [
    table({
      caption: "Mixtures of tuned and base weights",
      shown: true,
      head,
      rows,
      left: [head.length - 1],
      ...(strong < 0 ? {} : { strong }),
    }),
    footnote(sweep, base),
  ];
}

function rowOf(mixture: Mixture, base: Mixture, chosen: number): Content[] {
  const { alpha, dev_ndcg, guards, within_guards } = mixture;
  const outcome = [
    ...(alpha === chosen ? ["kept"] : []),
    ...(within_guards ? [] : ["loses too much on a guard set"]),
  ].join(", ");
  const gains = [dev_ndcg - base.dev_ndcg, ...guards.map((value, index) => value - (base.guards[index] as number))];
  return [
    alpha === 0 ? "0 (the base)" : alpha === 1 ? "1 (as trained)" : short(alpha),
    percent(dev_ndcg),
    ...gains.map((gain) => (alpha === 0 ? "–" : points(gain))),
    outcome,
  ];
}

function footnote({ queries, guard_max_drop }: Sweep, { guards }: Mixture): Markup {
  const limit =
    guards.length === 0
      ? "No guard set was named in `verify.guard`, so only dev chose."
      : `A mixture may lose at most ${percent(guard_max_drop)} points on a guard set.`;
  return html`<p class="footnote">Measured on ${count(queries)} dev queries, before any calibration; points are NDCG@10 against the base. The largest share that is not clearly worse on dev than the best is kept, the base where none is better, shares above 0.5 by half a standard error. ${sentenceWithCode(limit)}</p>`;
}
