// The figures of the report that a machine wants: what `--json` prints. Without scores and query ids.
import type { PairedComparison } from "../ranking/significance.js";
import type { Reference, Verdict } from "../stages/verify/schema.js";
import { isMissing, type Part, type QualityLine, type ReportData, type Sweep, type Thresholds } from "./data.js";

/** Null where the part is missing; metrics 0-1. */
export interface ReportSummary {
  recipe: string;
  verdict: Pick<Verdict, "outcome" | "against" | "advice" | "summary"> | null;
  training: {
    steps: number;
    best_step: number;
    ended: string;
    dev_ndcg: { base: number | null; best: number | null };
    sweep: Sweep | null;
  } | null;
  quality: QualityLine[] | null;
  gains: { against: Reference; comparison: PairedComparison } | null;
  calibration: { system: string; pairs: number; relevant: number; ece: number; brier: number }[] | null;
  thresholds: Thresholds | null;
  /** Parts that the report leaves out, and why. */
  missing: { part: string; reason: string }[];
}

const PARTS = ["verdict", "quality", "training", "gains", "scores", "reliability", "thresholds", "latency"] as const;

export function summaryOf(data: ReportData): ReportSummary {
  return {
    recipe: data.recipe,
    verdict: shown(data.verdict, ({ outcome, against, advice, summary }) => ({ outcome, against, advice, summary })),
    training: shown(data.training, ({ steps, best_step, ended, rows, sweep }) => {
      const at = (step: number) => rows.find((row) => row.step === step)?.dev_ndcg ?? null;
      return { steps, best_step, ended, dev_ndcg: { base: at(0), best: at(best_step) }, sweep };
    }),
    quality: shown(data.quality, (lines) => lines),
    gains: shown(data.gains, ({ against, comparison }) => ({ against, comparison })),
    calibration: shown(data.reliability, (all) =>
      all.map(({ system, calibration: { pairs, relevant, ece, brier } }) => ({ system, pairs, relevant, ece, brier })),
    ),
    thresholds: shown(data.thresholds, (all) => all),
    missing: PARTS.flatMap((part) => {
      const content: Part<unknown> = data[part];
      return isMissing(content) ? [{ part, reason: content.missing }] : [];
    }),
  };
}

function shown<Content, Summary>(part: Part<Content>, read: (content: Content) => Summary): Summary | null {
  return isMissing(part) ? null : read(part as Content);
}
