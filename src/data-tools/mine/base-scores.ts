// What the base model thinks of candidates: from a score file, or from a reranker that is run here. Raw logits; decides nothing.
import { Scorer } from "../../inference/scorer.js";
import { readScores } from "../../ranking/scores.js";
import { graphOf, pairLength } from "./model-files.js";
import type { BaseOptions, MineContext } from "./options.js";
import type { MineQuery } from "./queries.js";

/** Passages to score against one query. */
export interface ScoreRequest {
  query: MineQuery;
  passages: readonly { id: string; text: string }[];
}

export interface BaseScores {
  /** One logit a passage; undefined where the file has none. */
  score(requests: readonly ScoreRequest[]): Promise<(number | undefined)[][]>;
  close(): Promise<void>;
}

/** @throws RerankTuneError MODEL_NOT_FOUND, MODEL_UNSUPPORTED, RUNTIME_MISSING, SCORER_FAILED, DATA_INVALID. */
export async function openBaseScores(base: BaseOptions, context: MineContext): Promise<BaseScores> {
  if ("scores" in base) {
    const scores = await readScores(base.scores);
    return {
      score: async (requests) =>
        requests.map(({ query, passages }) => passages.map(({ id }) => scores.get(query.id)?.get(id))),
      close: async () => undefined,
    };
  }
  const scorer = await Scorer.start({
    folder: base.model,
    variantFile: graphOf(base.model, "--model"),
    maxLength: await pairLength(base.model),
    signal: context.signal,
    ...(context.processFile === undefined ? {} : { processFile: context.processFile }),
  });
  return {
    score: async (requests) => {
      const groups = requests.map(({ query, passages }) => ({
        query: query.text,
        passages: passages.map(({ text }) => text),
      }));
      return (await scorer.scoreGroups(groups)).map((scores) => Array.from(scores));
    },
    close: () => scorer.close(),
  };
}
