// The first stage: who ranks passages before the reranker does, on dev and test and for negatives. Ranks; does not judge.
import { type Bm25Index, buildBm25 } from "../../dataset/bm25.js";
import type { LabelledData, LabelledQuery } from "../../dataset/labelled.js";
import type { FirstStageRun } from "../../dataset/readers/run.js";
import type { PrepareOptions } from "./schema.js";

export type FirstStageKind = "judged" | "run" | "bm25";

export interface FirstStage {
  /** `bm25` or the tag of the run; `judged` sets are ordered by BM25. */
  name: string;
  kind: FirstStageKind;
  /** Passages best first, at most `depth`; undefined when this first stage knows nothing of the query. */
  ranked(query: LabelledQuery, depth: number): number[] | undefined;
}

/** With fewer judged negatives a training query than this, `auto` mines more; a default group holds 7. */
const ENOUGH_NEGATIVES = 4;

/** Settles `auto`: the run when there is one; BM25 when some passages are judged for no query, or when most queries have no judged negative to rank against. */
export function resolveKinds(
  data: LabelledData,
  { candidates, negatives }: Pick<PrepareOptions, "candidates" | "negatives">,
  hasRun: boolean,
): { candidates: FirstStageKind; negatives: FirstStageKind } {
  const counts = data.queries.map((query) => [...query.judgements.values()].filter(({ label }) => label === 0).length);
  const judged = new Set(data.queries.flatMap((query) => [...query.judgements.keys()]));
  const ranksJudged =
    judged.size === data.passageTexts.length && counts.filter((count) => count > 0).length * 2 >= counts.length;
  const automatic = hasRun ? "run" : ranksJudged ? "judged" : "bm25";
  const wanted = candidates.from === "auto" ? automatic : candidates.from;
  const enough = counts.reduce((sum, count) => sum + count, 0) >= ENOUGH_NEGATIVES * counts.length;
  const mined = hasRun ? "run" : ranksJudged && enough ? "judged" : "bm25";
  return { candidates: wanted, negatives: negatives.from === "auto" ? mined : negatives.from };
}

/** Builds the index once for all that need it. */
export function firstStages(data: LabelledData, run: FirstStageRun | undefined): (kind: FirstStageKind) => FirstStage {
  let index: Bm25Index | undefined;
  const bm25 = (): Bm25Index => {
    index ??= buildBm25(data.passageTexts);
    return index;
  };
  return (kind) => {
    if (kind === "judged") return judgedStage(bm25());
    if (kind === "run" && run !== undefined)
      return { name: run.tag, kind, ranked: (query, depth) => run.ranked.get(query.id)?.slice(0, depth) };
    const built = bm25();
    return {
      name: "bm25",
      kind,
      ranked: (query, depth) => built.search(query.text, depth).map(({ passage }) => passage),
    };
  };
}

/** The judged passages of a query in BM25 order. When there are more than `depth`, negatives give way, never positives. */
function judgedStage(index: Bm25Index): FirstStage {
  return {
    name: "bm25",
    kind: "judged",
    ranked: (query, depth) => {
      const passages = [...query.judgements.keys()];
      const scores = index.scores(query.text, passages);
      const order = passages
        .map((passage, at) => ({ passage, score: scores[at] ?? 0 }))
        .sort((left, right) => right.score - left.score || left.passage - right.passage);
      const isPositive = (passage: number): boolean => (query.judgements.get(passage)?.label ?? 0) > 0;
      let room = depth - passages.filter(isPositive).length;
      return order.map(({ passage }) => passage).filter((passage) => isPositive(passage) || room-- > 0);
    },
  };
}
