// Writes FlagEmbedding's JSONL: query, pos, neg, and the teacher's scores where every passage of a row has one.
import type { Judgement, LabelledData, LabelledQuery } from "../labelled.js";
import { writeJsonLines } from "./lines.js";
import { type Shortfall, shortfall, shortfalls } from "./shortfall.js";

/** Positives first, each side in the order of the data. FlagEmbedding reads scores as lists of numbers, so a row has all or none. */
export async function writeFlagEmbedding(path: string, data: LabelledData): Promise<Shortfall[]> {
  await writeJsonLines(path, rows(data));
  const lost = data.queries
    .filter((query) => !isScored(query))
    .flatMap((query) => [...query.judgements.values()].filter(({ teacher_score }) => teacher_score !== undefined));
  return [...shortfalls(data, ["teacher_scores", "empty_groups"]), ...shortfall("teacher_scores", lost.length)];
}

function* rows(data: LabelledData): Generator<object> {
  for (const query of data.queries) {
    const judged = [...query.judgements];
    const [pos, neg] = [judged.filter(([, { label }]) => label > 0), judged.filter(([, { label }]) => label === 0)];
    const texts = (side: [number, Judgement][]) => side.map(([passage]) => data.passageTexts[passage]);
    const scores = (side: [number, Judgement][]) => side.map(([, { teacher_score }]) => teacher_score);
    yield {
      query: query.text,
      pos: texts(pos),
      neg: texts(neg),
      ...(isScored(query) ? { pos_scores: scores(pos), neg_scores: scores(neg) } : {}),
    };
  }
}

function isScored({ judgements }: LabelledQuery): boolean {
  return judgements.size > 0 && [...judgements.values()].every(({ teacher_score }) => teacher_score !== undefined);
}
