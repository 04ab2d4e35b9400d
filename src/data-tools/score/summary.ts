// What a scored file says of its teacher: the range of scores, and whether they agree with the labels. Reads the file once.
import { createReadStream } from "node:fs";
import { linesOf } from "../../dataset/lines.js";
import type { ScoreReport } from "./options.js";

export type ScoreSummary = Pick<ScoreReport, "queries" | "passages" | "lowest" | "highest" | "agreement">;

interface ScoredPassage {
  label: number;
  teacher_score: number;
}

export async function summaryOf(file: string): Promise<ScoreSummary> {
  let [queries, passages, lowest, highest] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let [pairs, agreed] = [0, 0];
  for await (const line of linesOf(createReadStream(file))) {
    const row = JSON.parse(line) as { passages: ScoredPassage[] };
    queries += 1;
    passages += row.passages.length;
    for (const { teacher_score: score } of row.passages) {
      lowest = Math.min(lowest, score);
      highest = Math.max(highest, score);
    }
    const ordered = agreementOf(row.passages);
    pairs += ordered.pairs;
    agreed += ordered.agreed;
  }
  return { queries, passages, lowest, highest, agreement: pairs === 0 ? null : agreed / pairs };
}

/** Pairs of one group with different labels; a tie agrees by half, as in the area under the ROC curve. */
function agreementOf(passages: readonly ScoredPassage[]): { pairs: number; agreed: number } {
  let [pairs, agreed] = [0, 0];
  for (const better of passages)
    for (const worse of passages) {
      if (better.label <= worse.label) continue;
      pairs += 1;
      if (better.teacher_score > worse.teacher_score) agreed += 1;
      else if (better.teacher_score === worse.teacher_score) agreed += 0.5;
    }
  return { pairs, agreed };
}
