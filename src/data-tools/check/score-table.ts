// Base scores by query and passage id, from a score file (query_id, passage_id, score), read line by line: 20 bytes a score.
import { stat } from "node:fs/promises";
import { dataNotFound } from "../../dataset/findings.js";
import { numberOf } from "../../dataset/readers/fields.js";
import { readLines } from "../../dataset/readers/rows.js";
import { TextIndex } from "../../dataset/text-index.js";
import { malformedScores } from "../../ranking/scores.js";

export interface ScoreTable {
  size: number;
  /** Raw logit, or undefined where there is none or it is no finite number. */
  find(queryId: string, passageId: string): number | undefined;
}

const keyOf = (queryId: string, passageId: string): string => `${queryId}\t${passageId}`;

/**
 * The format of ranking/scores.ts, which holds its whole file; a later score of the same pair counts.
 * @throws RerankTuneError DATA_NOT_FOUND, or DATA_INVALID with the first line that is not three fields ending in a number.
 */
export async function readScoreTable(path: string): Promise<ScoreTable> {
  if (!(await stat(path).catch(() => undefined))?.isFile())
    throw dataNotFound(
      `There is no score file ${path}.`,
      "a score file has a line a pair: query id, passage id and logit, separated by tabs; leave out --scores if you have none",
    );
  const pairs = new TextIndex();
  const scores: number[] = [];
  for await (const { line, text } of readLines(path)) {
    const [queryId, passageId, value = "", ...rest] = text.split("\t");
    const score = numberOf(value);
    // Python writes nan and inf for a model that broke; such a score says nothing of a label.
    if (
      queryId === undefined ||
      passageId === undefined ||
      rest.length > 0 ||
      (score === undefined && !/^[+-]?(nan|inf)/i.test(value))
    )
      throw malformedScores(path, line, "write one score a line: query_id, tab, passage_id, tab, score");
    scores[pairs.add(keyOf(queryId, passageId))] = score ?? Number.NaN;
  }
  return {
    size: pairs.size,
    find: (queryId, passageId) => {
      const number = pairs.find(keyOf(queryId, passageId));
      const score = number === undefined ? Number.NaN : (scores[number] as number);
      return Number.isNaN(score) ? undefined : score;
    },
  };
}
