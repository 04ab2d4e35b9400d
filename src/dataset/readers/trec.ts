// Reads a TREC folder: a corpus, the queries, one or more qrels files and perhaps runs, all side by side (also .gz).
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { dataInvalid } from "../findings.js";
import type { Split } from "../groups.js";
import type { LabelledData } from "../labelled.js";
import { readCorpus, readQueries } from "./collection.js";
import { SPLIT_NAMES } from "./fields.js";
import { readQrels } from "./qrels.js";
import { readRunEntries } from "./run.js";

/** What a file of the folder is, by its name without .gz. */
const PARTS = {
  corpus: /^(corpus|collection|passages|documents)\.(jsonl|json|tsv)$/i,
  queries: /^(queries|topics)\.(jsonl|json|tsv)$/i,
  qrels: /^qrels?([._-].*)?$|\.qrels?$/i,
  run: /^run([._-].*)?$|\.(run|trec)$/i,
} as const;
type Part = keyof typeof PARTS;

const EXPECTED: Record<Part, string> = {
  corpus: "corpus.jsonl (id, title, text) or corpus.tsv (id, tab, text)",
  queries: "queries.jsonl (id, text) or queries.tsv (id, tab, text)",
  qrels: "a qrels file (query 0 passage label), such as qrels.txt",
  run: "a run (query Q0 passage rank score tag), such as run.txt",
};

/** Names that Anserini, Pyserini, ir_datasets and BEIR give to ids and texts. */
const CORPUS_NAMES = { id: ["id", "_id", "docid", "docno", "doc_id"], text: ["text", "contents", "content", "body"] };
const QUERY_NAMES = { id: ["id", "_id", "qid", "query_id"], text: ["text", "query", "title"] };

/** Names of files that belong to a TREC folder, by part. */
export function trecParts(names: readonly string[]): Record<Part, string[]> {
  const of = (part: Part): string[] =>
    names.filter((name) => PARTS[part].test(name.replace(/\.gz$/i, ""))).sort((left, right) => (left < right ? -1 : 1));
  return { corpus: of("corpus"), queries: of("queries"), qrels: of("qrels"), run: of("run") };
}

/**
 * Passages that a run retrieved and nobody judged become negatives with `source: run`: trec_eval counts unjudged passages
 * as not relevant too. A qrels file whose name holds train, dev or test gives its queries that split.
 * @throws RerankTuneError DATA_INVALID when the folder lacks a corpus, queries or judgements.
 */
export async function readTrec(folder: string, data: LabelledData): Promise<void> {
  const parts = trecParts(await filesOf(folder));
  const corpusFile = join(folder, only(folder, parts, "corpus"));
  await readCorpus(data, corpusFile, CORPUS_NAMES);
  const queriesFile = join(folder, only(folder, parts, "queries"));
  const queries = await readQueries(data, queriesFile, QUERY_NAMES);
  if (parts.qrels.length === 0) throw lacks(folder, "qrels");
  for (const name of parts.qrels)
    await readQrels(data, { queries, queriesFile, corpusFile }, join(folder, name), splitIn(name));
  for (const query of queries.values()) if (query.judgements.size > 0) data.queries.push(query);
  for (const name of parts.run) await addRun(data, join(folder, name));
}

async function addRun(data: LabelledData, file: string): Promise<void> {
  const { entries } = await readRunEntries(file, data);
  for (const query of data.queries)
    for (const { passage, line } of entries.get(query.id) ?? [])
      if (!query.judgements.has(passage) && data.passageTexts[passage] !== "")
        data.judge(query, passage, { file, line, label: 0, source: "run" });
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
}

/** The one file of a part; two of a kind would be a guess. */
function only(folder: string, parts: Record<Part, string[]>, part: Part): string {
  const [name, another] = parts[part];
  if (name === undefined) throw lacks(folder, part);
  if (another !== undefined)
    throw dataInvalid(
      `${folder} has both ${name} and ${another}: which is the ${part}?`,
      `keep one of them in the folder`,
    );
  return name;
}

function lacks(folder: string, part: Part): Error {
  return dataInvalid(`${folder} has no ${part}.`, `a TREC folder holds ${EXPECTED[part]}`);
}

function splitIn(name: string): Split | undefined {
  return name
    .toLowerCase()
    .split(/[._-]/)
    .map((word) => SPLIT_NAMES[word])
    .find((split) => split !== undefined);
}
