// Reads judgements of a collection: rows "query passage label" (BEIR) or "query 0 passage label" (TREC).
import { basename } from "node:path";
import type { Place } from "../findings.js";
import type { Split } from "../groups.js";
import type { LabelledData, LabelledQuery } from "../labelled.js";
import { numberOf } from "./fields.js";
import { readLines } from "./rows.js";

/** Where the ids of a qrels file are looked up; the file names are for messages. */
export interface Collection {
  queries: Map<string, LabelledQuery>;
  queriesFile: string;
  corpusFile: string;
}

/**
 * A first line of words is the heading.
 * @param split the side that this file stands for; undefined when it stands for none.
 */
export async function readQrels(
  data: LabelledData,
  { queries, queriesFile, corpusFile }: Collection,
  file: string,
  split: Split | undefined,
): Promise<void> {
  for await (const { line, text } of readLines(file)) {
    const fields = fieldsOf(text);
    const place = { file, line };
    const label = numberOf(fields.at(-1));
    if (fields.length < 3 || fields.length > 4 || label === undefined) {
      if (line > 1) data.findings.fatal.add({ ...place, message: "is not `query-id corpus-id score`" });
      continue;
    }
    const query = queries.get(fields[0] ?? "");
    const passage = data.passageWithId(fields.at(-2) ?? "");
    const missing = (path: string, what: string, where: string): void =>
      data.findings.fatal.add({ ...place, path, message: `names a ${what} that ${basename(where)} does not have` });
    if (query === undefined) missing("query-id", "query", queriesFile);
    if (passage === undefined) missing("corpus-id", "passage", corpusFile);
    if (query === undefined || passage === undefined || query.text === "") continue;
    if (data.passageTexts[passage] === "") continue;
    assignSplit(data, query, place, split);
    // TREC uses negative labels for spam; trec_eval gives them no gain.
    if (label < 0) data.adjusted.add({ ...place, path: "score", message: "a label below 0 counts as 0" });
    data.judge(query, passage, { ...place, label: Math.max(0, label) });
  }
}

/** BEIR separates by tabs, so that an id may hold a space; TREC by any white space. */
function fieldsOf(text: string): string[] {
  const tabbed = text.trim().split("\t");
  return tabbed.length === 3 || tabbed.length === 4 ? tabbed.map((field) => field.trim()) : text.trim().split(/\s+/);
}

function assignSplit(data: LabelledData, query: LabelledQuery, place: Place, split: Split | undefined): void {
  if (query.judgements.size > 0 && query.split !== split)
    data.findings.fatal.add({
      ...place,
      path: "query-id",
      message: `names a query that ${query.split ?? "all"}.tsv judges too`,
      hint: "keep each query in one qrels file",
    });
  else if (split !== undefined) query.split = split;
}
