// What `trim` reports of the multilingual vocabulary cut to German and French, for those who show it.
import type { TrimReport } from "../../src/trim/index.js";

export const TRIM_REPORT: TrimReport = {
  pieces: { before: 250_002, after: 94_207 },
  weights: { before: 2.27e9, after: 1.63e9 },
  texts: 1200,
  tokens: 40_000,
  languages: ["de", "fr"],
  letters: [
    { script: "Latin", known: 658, lost: 0 },
    { script: "Han", known: 8100, lost: 8000 },
  ],
  unseen: { texts: 300, cut_otherwise: 12, tokens: { before: 9000, after: 9100 }, more_unknown: 0 },
  left_out: [],
};
