// Checks on labelled data as a whole, after reading: is there anything to learn from? Lines are the readers' affair.
import { dataInvalid } from "../../dataset/findings.js";
import type { LabelledData } from "../../dataset/labelled.js";
import type { PrepareOptions } from "./schema.js";

/** Forms whose judgements list relevant passages only, by custom. */
const POSITIVES_ONLY: readonly string[] = ["beir", "trec"];

/**
 * Data with one class only teaches nothing. A file of pairs whose labels are all 1 is more often a wrong column than a wish,
 * so mining negatives for it has to be asked for; BEIR and TREC folders list positives only by custom.
 * @throws RerankTuneError DATA_INVALID.
 */
export function checkClasses(data: LabelledData, source: string, negatives: PrepareOptions["negatives"]): void {
  let [judged, positive] = [0, 0];
  const labels = new Set<number>();
  for (const query of data.queries)
    for (const { label } of query.judgements.values()) {
      judged += 1;
      if (label > 0) positive += 1;
      labels.add(label);
    }
  if (judged === 0)
    throw dataInvalid(
      `${source} holds no usable labelled pair.`,
      "write one labelled pair a line: query, passage, label",
    );
  if (positive === 0)
    throw dataInvalid(
      `All ${judged} labels in ${source} are 0: no passage is relevant.`,
      "label relevant passages 1 (or a grade above 0) and check that the label column is the right one",
    );
  const mines =
    negatives.from === "bm25" ||
    negatives.from === "run" ||
    (POSITIVES_ONLY.includes(data.format) && negatives.from === "auto");
  if (labels.size === 1 && !mines)
    throw dataInvalid(
      `All ${judged} labels in ${source} are ${[...labels][0]}: there is only one class.`,
      "add pairs labelled 0, or draw negatives from the other passages with `--set prepare.negatives.from=bm25`",
    );
}
