// Labelled data → k sources for prepare, each with a split of its own, so that every query is tested once. Keeps the unjudged passages of a corpus.
import { copyFile, link, mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { dataInvalid } from "../../dataset/findings.js";
import { type DataFormat, FOLDER_FORMS } from "../../dataset/forms.js";
import { SPLITS, type Split } from "../../dataset/groups.js";
import { isMadeUp, type LabelledData, type LabelledQuery } from "../../dataset/labelled.js";
import { type DevShare, QueryClusters } from "../../dataset/query-split.js";
import { readLabelledData } from "../../dataset/readers/detect.js";
import { writeBeir } from "../../dataset/writers/beir.js";
import { writeGradedGroups } from "../../dataset/writers/graded-groups.js";
import { fromFileSystemError } from "../../errors.js";
import { drawsFor, shuffled } from "../../ranking/draws.js";
import { type Assignment, assignFolds } from "./assign.js";

/** Raise it when the same data would be divided or written otherwise. */
export const FOLD_SOURCES_VERSION = 1;

export interface FoldOptions {
  /** File or folder, absolute. */
  source: string;
  format: DataFormat | "auto";
  folds: number;
  /** Share of the queries that are not tested. */
  dev: DevShare;
  seed: number;
  /** Fold the queries of the data's own train, dev and test alike. */
  ignoreSplit: boolean;
}

export interface PlannedFolds {
  data: LabelledData;
  assignments: Assignment[];
  /** Queries that are tested: those with a relevant passage that nobody made up. */
  measurable: number;
  /** Sets of tested queries that stay together; as many as those queries where all are far apart. */
  clusters: number;
  /** Number of the cluster by query id: near-duplicates and queries with a common group key have the same. */
  clusterOf: Map<string, number>;
  /** Whether the data brought a split that was given up. */
  gaveUpSplit: boolean;
}

/**
 * Reads the data and gives every query a side in each fold. Writes nothing; the same data and seed give the same folds.
 * @throws RerankTuneError DATA_NOT_FOUND; DATA_INVALID for rows that cannot be read, for data with a split of its own unless
 * `ignoreSplit`, and for too few queries.
 */
export async function planFolds(options: FoldOptions): Promise<PlannedFolds> {
  const { source, format, folds, dev, seed, ignoreSplit } = options;
  const data = await readLabelledData(source, format);
  data.findings.throwIfFatal(source);
  const gaveUpSplit = bringsSplit(data.queries);
  if (gaveUpSplit && !ignoreSplit) throw ownSplit(source);
  const members = clustersOf(data.queries).members();
  const trainOnly = data.queries.map((query) => !isMeasurable(query));
  const assignments = assignFolds(
    {
      clusters: members,
      share: { dev, test: 0 },
      shuffle: (purpose) => (items) => shuffled(items, drawsFor(seed, purpose)),
      trainOnly: (query) => trainOnly[query] === true,
    },
    folds,
  );
  requireSides(assignments, data.queries, source);
  const clusterOf = new Map(
    members.flatMap((cluster, number) =>
      cluster.map((query): [string, number] => [(data.queries[query] as LabelledQuery).id, number]),
    ),
  );
  const tested = data.queries.filter((_, query) => trainOnly[query] === false).map(({ id }) => clusterOf.get(id));
  return { data, assignments, measurable: tested.length, clusters: new Set(tested).size, clusterOf, gaveUpSplit };
}

const positive = ({ judgements }: LabelledQuery): boolean => [...judgements.values()].some(({ label }) => label > 0);
const isMeasurable = (query: LabelledQuery): boolean => positive(query) && !isMadeUp(query, query.judgements.values());

/** As prepare sees it: training queries and others. A single qrels file is no split, whatever its name. */
function bringsSplit(queries: readonly LabelledQuery[]): boolean {
  const sides = new Set(queries.filter(isMeasurable).map(({ split }) => split));
  return sides.has("train") && sides.size > 1;
}

function ownSplit(source: string): Error {
  return dataInvalid(
    `${source} brings a split of its own, whose test queries folds would train on.`,
    "judge on that split with `rerank-tune run`, or give it up and test every query once with `--ignore-split`",
  );
}

function clustersOf(queries: readonly LabelledQuery[]) {
  const clusters = new QueryClusters();
  for (const { text, groups } of queries) clusters.add(text, groups);
  return clusters.together();
}

function requireSides(assignments: readonly Assignment[], queries: readonly LabelledQuery[], source: string): void {
  const usable = queries.flatMap((query, at) => (positive(query) ? [at] : []));
  for (const { folder, sideOf } of assignments) {
    const found = new Set(usable.map(sideOf));
    const empty = SPLITS.find((side) => !found.has(side));
    if (empty !== undefined)
      throw dataInvalid(
        `No query is left for ${empty} of ${folder}: ${source} has ${queries.length} queries, and near-duplicates and groups stay together.`,
        "give at least 20 different queries that have a passage labelled above 0, fewer folds, or a larger dev: `--set prepare.split.dev=0.2`",
      );
  }
}

/** Where the source of a fold lies below the folder of all. Collections stay collections, since a first stage searches their whole corpus. */
export function foldSource(folder: string, { data }: PlannedFolds, fold: number): string {
  return join(folder, FOLDER_FORMS.includes(data.format) ? `fold-${fold}` : `fold-${fold}.jsonl`);
}

/**
 * Writes the sources of all folds; does nothing when the folder is there, because it appears whole or not at all.
 * @param folder named after everything that decides its content.
 * @throws RerankTuneError NOT_WRITABLE, DISK_FULL; DATA_INVALID for ids that cannot stand in a table of judgements.
 */
export async function writeFolds(folder: string, plan: PlannedFolds): Promise<void> {
  if (await isWritten(folder)) return;
  const partial = `${folder}.partial-${process.pid}`;
  try {
    await mkdir(partial, { recursive: true });
    for (const [index, assignment] of plan.assignments.entries()) await writeFold(partial, plan, index + 1, assignment);
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    // Another process may have put the same content there meanwhile.
    if (!(await isWritten(folder))) throw fromFileSystemError(error, folder) ?? error;
  }
}

async function writeFold(folder: string, plan: PlannedFolds, fold: number, { sideOf }: Assignment): Promise<void> {
  const { data } = plan;
  for (const [number, query] of data.queries.entries()) {
    query.split = sideOf(number) satisfies Split;
    // Score files and clusters are joined by id: one that was made while reading has to stay what it is.
    query.hasOwnId = true;
  }
  const path = foldSource(folder, plan, fold);
  if (!FOLDER_FORMS.includes(data.format)) return void (await writeGradedGroups(path, data));
  await writeBeir(path, data);
  if (fold > 1) await shareCorpus(foldSource(folder, plan, 1), path);
}

/** The corpus is the same in every fold; one copy on the disk will do where the file system can link. */
async function shareCorpus(from: string, to: string): Promise<void> {
  const [original, copy] = [join(from, "corpus.jsonl"), join(to, "corpus.jsonl")];
  await rm(copy);
  await link(original, copy).catch(() => copyFile(original, copy));
}

/** Whether `writeFolds` has nothing to do. */
export const isWritten = async (folder: string): Promise<boolean> =>
  await stat(folder).then(
    () => true,
    () => false,
  );
