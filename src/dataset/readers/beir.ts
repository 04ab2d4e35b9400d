// Reads a BEIR folder: corpus.jsonl, queries.jsonl (also .gz) and qrels/*.tsv. The folder's own split is kept as it is.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { dataInvalid } from "../findings.js";
import type { Split } from "../groups.js";
import { LabelledData, type LabelledQuery } from "../labelled.js";
import { groupsOf, idOf, numberOf, textField, titledText } from "./fields.js";
import { readJsonRows, readLines } from "./rows.js";

/** Names of qrels files; `all` is ours, for judgements that no one split yet. */
const SPLIT_OF: Record<string, Split | undefined> = {
  train: "train",
  dev: "dev",
  valid: "dev",
  validation: "dev",
  test: "test",
  all: undefined,
};

/**
 * A query judged in a single qrels file alone, or in `all.tsv`, has no split of its own yet.
 * @throws RerankTuneError DATA_INVALID when the folder lacks one of the three parts.
 */
export async function readBeir(folder: string): Promise<LabelledData> {
  const names = await readdir(folder);
  const data = new LabelledData("beir");
  await readCorpus(data, join(folder, partOf(folder, names, "corpus.jsonl")));
  const queries = await readQueries(data, join(folder, partOf(folder, names, "queries.jsonl")));
  const qrels = (await readdir(join(folder, partOf(folder, names, "qrels"))))
    .filter((name) => /\.tsv$/.test(name))
    .sort();
  const known = qrels.filter((name) => name.slice(0, -4) in SPLIT_OF);
  if (known.length === 0)
    throw dataInvalid(
      `${join(folder, "qrels")} holds none of train.tsv, dev.tsv, test.tsv, all.tsv.`,
      "name the file of judgements qrels/all.tsv, and prepare splits it by query",
    );
  for (const name of known) await readQrels(data, queries, join(folder, "qrels", name), SPLIT_OF[name.slice(0, -4)]);
  data.queries.push(...[...queries.values()].filter((query) => query.judgements.size > 0));
  return data;
}

function partOf(folder: string, names: readonly string[], part: string): string {
  const found = [part, `${part}.gz`].find((name) => names.includes(name));
  if (found === undefined)
    throw dataInvalid(
      `${folder} has no ${part}.`,
      "name a BEIR folder (corpus.jsonl, queries.jsonl, qrels/*.tsv) or a file of labelled pairs as `prepare.source`",
    );
  return found;
}

async function readCorpus(data: LabelledData, file: string): Promise<void> {
  for await (const { line, values } of readJsonRows(file, data.findings)) {
    const place = { file, line };
    const id = idOf(values._id);
    if (id === undefined) {
      data.findings.fatal.add({ ...place, path: "_id", message: "has no `_id`" });
      continue;
    }
    // A passage may be all title; one without both stays out of candidates but its id stays known.
    const text = typeof values.text === "string" ? titledText(values.title, values.text.trim()).trim() : undefined;
    if (text === undefined) data.findings.fatal.add({ ...place, path: "text", message: "has no `text`" });
    else if (text === "") data.findings.empty.add({ ...place, path: "text", message: "title and text are empty" });
    if (text !== undefined && data.addPassage(id, text) === undefined)
      data.findings.fatal.add({
        ...place,
        path: "_id",
        message: "repeats an `_id`",
        hint: "give every passage its own `_id`",
      });
  }
}

async function readQueries(data: LabelledData, file: string): Promise<Map<string, LabelledQuery>> {
  const queries = new Map<string, LabelledQuery>();
  for await (const { line, values } of readJsonRows(file, data.findings)) {
    const place = { file, line };
    const id = idOf(values._id);
    if (id === undefined || queries.has(id)) {
      data.findings.fatal.add({
        ...place,
        path: "_id",
        message: id === undefined ? "has no `_id`" : "repeats an `_id`",
      });
      continue;
    }
    data.queryIds.add(id);
    const text = textField(data, place, "text", values.text) ?? "";
    const lang = idOf(values.lang);
    queries.set(id, {
      id,
      text,
      groups: groupsOf(values.group),
      judgements: new Map(),
      ...place,
      ...(lang === undefined ? {} : { lang }),
    });
  }
  return queries;
}

/** Rows are "query passage label" (BEIR) or "query 0 passage label" (TREC); a first line of words is the heading. */
async function readQrels(
  data: LabelledData,
  queries: Map<string, LabelledQuery>,
  file: string,
  split: Split | undefined,
): Promise<void> {
  for await (const { line, text } of readLines(file)) {
    const fields = text.trim().split(/\s+/);
    const place = { file, line };
    const label = numberOf(fields.at(-1));
    if (fields.length < 3 || fields.length > 4 || label === undefined) {
      if (line > 1) data.findings.fatal.add({ ...place, message: "is not `query-id corpus-id score`" });
      continue;
    }
    const query = queries.get(fields[0] ?? "");
    const passage = data.passageWithId(fields.at(-2) ?? "");
    if (query === undefined)
      data.findings.fatal.add({
        ...place,
        path: "query-id",
        message: "names a query that queries.jsonl does not have",
      });
    if (passage === undefined)
      data.findings.fatal.add({
        ...place,
        path: "corpus-id",
        message: "names a passage that corpus.jsonl does not have",
      });
    if (query === undefined || passage === undefined || query.text === "") continue;
    if (data.passageTexts[passage] === "") continue;
    assignSplit(data, query, place, split);
    // TREC uses negative labels for spam; trec_eval gives them no gain.
    data.judge(query, passage, { ...place, label: Math.max(0, label) });
  }
}

function assignSplit(
  data: LabelledData,
  query: LabelledQuery,
  place: { file: string; line: number },
  split: Split | undefined,
): void {
  if (query.judgements.size > 0 && query.split !== split)
    data.findings.fatal.add({
      ...place,
      path: "query-id",
      message: `names a query that ${query.split ?? "all"}.tsv judges too`,
      hint: "keep each query in one qrels file",
    });
  else if (split !== undefined) query.split = split;
}
