// Writes a BEIR folder: corpus.jsonl, queries.jsonl and one qrels file a split (`all.tsv` where the data has none).
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fromFileSystemError } from "../../errors.js";
import { dataInvalid } from "../findings.js";
import type { LabelledData, LabelledQuery } from "../labelled.js";
import { writeJsonLines, writeTextLines } from "./lines.js";
import { type Shortfall, shortfalls } from "./shortfall.js";

/**
 * The whole corpus is written, judged or not, into a folder that is not there yet or empty; language and group keys stand in queries.jsonl, where other loaders pass them over.
 * @throws RerankTuneError DATA_INVALID when an id cannot stand in a table, NOT_WRITABLE, DISK_FULL.
 */
export async function writeBeir(folder: string, data: LabelledData): Promise<Shortfall[]> {
  const queries = data.queries.filter(({ judgements }) => judgements.size > 0);
  checkIds(data, queries);
  const partial = `${folder}.partial-${process.pid}`;
  try {
    await writeFolder(partial, data, queries);
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw fromFileSystemError(error, folder) ?? error;
  }
  return [
    ...shortfalls(data, [
      "query_ids",
      "passage_ids",
      "titles",
      "grades",
      "languages",
      "group_keys",
      "splits",
      "unjudged_passages",
    ]),
    ...fractions(queries),
  ];
}

async function writeFolder(folder: string, data: LabelledData, queries: readonly LabelledQuery[]): Promise<void> {
  await mkdir(join(folder, "qrels"), { recursive: true });
  await writeJsonLines(join(folder, "corpus.jsonl"), corpusRows(data));
  await writeJsonLines(join(folder, "queries.jsonl"), queries.map(queryRow));
  for (const split of new Set(queries.map((query) => query.split))) {
    const own = queries.filter((query) => query.split === split);
    await writeTextLines(join(folder, "qrels", `${split ?? "all"}.tsv`), qrelsLines(data, own));
  }
}

/** Kept as they are, since this tool reads them; BEIR's own loader takes whole numbers only. */
function fractions(queries: readonly LabelledQuery[]): Shortfall[] {
  const labels = queries.flatMap(({ judgements }) => [...judgements.values()]).map(({ label }) => label);
  const count = labels.filter((label) => !Number.isInteger(label)).length;
  const says = "labels are not whole numbers, which other readers of BEIR folders expect; they are written as they are";
  return count === 0 ? [] : [{ feature: "grades", count, says }];
}

function checkIds(data: LabelledData, queries: readonly LabelledQuery[]): void {
  const wrong = [...queries.map(({ id }) => id), ...data.passageIds].filter((id) => /[\t\r\n]/.test(id)).length;
  if (wrong > 0)
    throw dataInvalid(
      `${wrong} ids hold a tab or a line break, which a qrels file cannot.`,
      "give these queries and passages other ids, or write `--to groups`",
    );
}

function* corpusRows(data: LabelledData): Generator<object> {
  for (const [index, id] of data.passageIds.entries()) {
    const { title = "", text } = data.partsOf(index);
    yield { _id: id, title, text };
  }
}

function queryRow({ id, text, lang, groups }: LabelledQuery): object {
  return {
    _id: id,
    text,
    ...(lang === undefined ? {} : { lang }),
    ...(groups.length === 0 ? {} : { group: groups.length === 1 ? groups[0] : groups }),
  };
}

function* qrelsLines(data: LabelledData, queries: readonly LabelledQuery[]): Generator<string> {
  yield "query-id\tcorpus-id\tscore";
  for (const { id, judgements } of queries)
    for (const [passage, { label }] of judgements) yield `${id}\t${data.passageIds[passage]}\t${label}`;
}
