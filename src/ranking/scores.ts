// Score files, `query_id<TAB>passage_id<TAB>score` a line: how scores travel between the worker, the stages and the reports.
import { readFile, writeFile } from "node:fs/promises";
import { RerankTuneError } from "../errors.js";

/** Scores of candidates by query id, then passage id. Raw logits. */
export type Scores = Map<string, Map<string, number>>;

/**
 * Reads a score file.
 * @throws RerankTuneError DATA_INVALID with the first line that is not three fields ending in a number.
 */
export async function readScores(path: string): Promise<Scores> {
  const scores: Scores = new Map();
  for (const [index, line] of (await readFile(path, "utf8")).split("\n").entries()) {
    if (line === "") continue;
    const [queryId, passageId, text, ...rest] = line.replace(/\r$/, "").split("\t");
    const score = parseScore(text);
    if (queryId === undefined || passageId === undefined || score === undefined || rest.length > 0)
      throw malformedScores(path, index + 1, "write it again with `rerank-tune train RECIPE`");
    const ofQuery = scores.get(queryId) ?? new Map<string, number>();
    ofQuery.set(passageId, score);
    scores.set(queryId, ofQuery);
  }
  return scores;
}

/** Writes a score file in the order of the map; a double prints all digits of a float32 score. */
export async function writeScores(path: string, scores: Scores): Promise<void> {
  const lines: string[] = [];
  for (const [queryId, ofQuery] of scores)
    for (const [passageId, score] of ofQuery) {
      if (/[\t\n\r]/.test(queryId + passageId)) throw unwritable(queryId, passageId);
      lines.push(`${queryId}\t${passageId}\t${score}\n`);
    }
  await writeFile(path, lines.join(""));
}

/**
 * The scores of one query's candidates in their order.
 * @throws RerankTuneError DATA_INVALID when a candidate has no score.
 */
export function scoresFor(scores: Scores, queryId: string, passageIds: readonly string[]): Float64Array {
  const ofQuery = scores.get(queryId);
  return Float64Array.from(passageIds, (passageId) => {
    const score = ofQuery?.get(passageId);
    if (score !== undefined) return score;
    throw new RerankTuneError({
      code: "DATA_INVALID",
      message: `The reference scores lack query ${JSON.stringify(queryId)}, passage ${JSON.stringify(passageId)}.`,
      hint: "score the same split that is verified; `rerank-tune train RECIPE` writes both again",
    });
  });
}

/** Python writes nan and inf, JavaScript NaN and Infinity. */
const WORDS: Record<string, number> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
  "-infinity": Number.NEGATIVE_INFINITY,
};

function parseScore(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === "") return undefined;
  const word = WORDS[text.trim().toLowerCase()];
  if (word !== undefined) return word;
  const value = Number(text);
  return Number.isNaN(value) ? undefined : value;
}

export function malformedScores(path: string, line: number, hint: string): RerankTuneError {
  return new RerankTuneError({
    code: "DATA_INVALID",
    message: `${path}, line ${line} is not query_id, passage_id and score separated by tabs.`,
    hint,
    problems: [{ file: path, line, message: "expected three fields, the last a number" }],
  });
}

function unwritable(queryId: string, passageId: string): RerankTuneError {
  return new RerankTuneError({
    code: "DATA_INVALID",
    message: `Query ${JSON.stringify(queryId)} or passage ${JSON.stringify(passageId)} has a tab or line break in its id.`,
    hint: "use ids without tabs and line breaks",
  });
}
