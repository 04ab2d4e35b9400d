// Reads a BEIR folder: corpus.jsonl, queries.jsonl (also .gz) and qrels/*.tsv. The folder's own split is kept as it is.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { dataInvalid } from "../findings.js";
import type { Split } from "../groups.js";
import type { LabelledData } from "../labelled.js";
import { readCorpus, readQueries } from "./collection.js";
import { SPLIT_NAMES } from "./fields.js";
import { readQrels } from "./qrels.js";

/** Names of qrels files; `all` is ours, for judgements that no one split yet. */
const SPLIT_OF: Record<string, Split | undefined> = { ...SPLIT_NAMES, all: undefined };

const NAMES = { id: ["_id"], text: ["text"] };

/**
 * A query judged in a single qrels file alone, or in `all.tsv`, has no split of its own yet.
 * @throws RerankTuneError DATA_INVALID when the folder lacks one of the three parts.
 */
export async function readBeir(folder: string, data: LabelledData): Promise<void> {
  const names = await readdir(folder);
  const corpusFile = join(folder, partOf(folder, names, "corpus.jsonl"));
  await readCorpus(data, corpusFile, NAMES);
  const queriesFile = join(folder, partOf(folder, names, "queries.jsonl"));
  const queries = await readQueries(data, queriesFile, NAMES);
  const qrels = (await readdir(join(folder, partOf(folder, names, "qrels"))))
    .filter((name) => /\.tsv$/.test(name))
    .sort();
  const known = qrels.filter((name) => name.slice(0, -4) in SPLIT_OF);
  if (known.length === 0)
    throw dataInvalid(
      `${join(folder, "qrels")} holds none of train.tsv, dev.tsv, test.tsv, all.tsv.`,
      "name the file of judgements qrels/all.tsv, and prepare splits it by query",
    );
  for (const name of qrels)
    if (!known.includes(name))
      data.adjusted.add({ file: join(folder, "qrels", name), message: "is named after no split and is not read" });
  const collection = { queries, queriesFile, corpusFile };
  for (const name of known) await readQrels(data, collection, join(folder, "qrels", name), SPLIT_OF[name.slice(0, -4)]);
  for (const query of queries.values()) if (query.judgements.size > 0) data.queries.push(query);
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
