// Reads FlagEmbedding's JSONL: query, pos, neg, and optional pos_scores and neg_scores of a teacher.
import type { LabelledData } from "../labelled.js";
import { addQuery, countUnused, judgeSide, QUERY_DETAILS } from "./entries.js";
import { readJsonRows } from "./rows.js";

const ROW = [...QUERY_DETAILS, "query", "pos", "neg", "pos_scores", "neg_scores"];

/** Positives get label 1, negatives 0; `neg` may be missing, a teacher's scores must be as many as the texts. */
export async function readFlagEmbedding(path: string, data: LabelledData): Promise<void> {
  for await (const { line, values } of readJsonRows(path, data.findings)) {
    const place = { file: path, line };
    countUnused(data, values, ROW);
    const query = addQuery(data, place, values);
    const { pos, neg, pos_scores, neg_scores } = values;
    if (pos === undefined || pos === null)
      data.findings.fatal.add({
        ...place,
        path: "pos",
        message: "has no list `pos`",
        hint: 'write {"query": "...", "pos": ["..."], "neg": ["..."]} on every line',
      });
    judgeSide(data, query, place, { name: "pos", texts: pos, label: 1, scores: pos_scores, scoresName: "pos_scores" });
    judgeSide(data, query, place, { name: "neg", texts: neg, label: 0, scores: neg_scores, scoresName: "neg_scores" });
  }
}
