// Reads the JSONL of Cohere's retired rerank fine-tuning: query, relevant_passages, hard_negatives (docs.cohere.com/docs/rerank-preparing-the-data).
import type { LabelledData } from "../labelled.js";
import { addQuery, countUnused, judgeSide, QUERY_DETAILS } from "./entries.js";
import { readJsonRows } from "./rows.js";

const ROW = [...QUERY_DETAILS, "query", "relevant_passages", "hard_negatives"];

/** Relevant passages get label 1, hard negatives 0; the latter may be missing, as Cohere allowed. */
export async function readCohere(path: string, data: LabelledData): Promise<void> {
  for await (const { line, values } of readJsonRows(path, data.findings)) {
    const place = { file: path, line };
    countUnused(data, values, ROW);
    const query = addQuery(data, place, values);
    const { relevant_passages: relevant, hard_negatives: negatives } = values;
    if (relevant === undefined || relevant === null)
      data.findings.fatal.add({
        ...place,
        path: "relevant_passages",
        message: "has no list `relevant_passages`",
        hint: 'write {"query": "...", "relevant_passages": ["..."], "hard_negatives": ["..."]} on every line',
      });
    judgeSide(data, query, place, { name: "relevant_passages", texts: relevant, label: 1 });
    judgeSide(data, query, place, { name: "hard_negatives", texts: negatives, label: 0 });
  }
}
