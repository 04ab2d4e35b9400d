// `data split`: labelled data of any form into train, dev and test, or into folds, as canonical groups. Memory does not grow with the texts.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dataInvalid, Findings } from "../../dataset/findings.js";
import { SPLITS } from "../../dataset/groups.js";
import { FOLDS_BELOW } from "../../dataset/query-split.js";
import { fromFileSystemError, RerankTuneError } from "../../errors.js";
import { shufflesFor } from "../../ranking/draws.js";
import { eachGroup } from "../reading/each-group.js";
import { openData } from "../reading/open-data.js";
import type { StreamedData } from "../reading/streamed-data.js";
import { type AssignInput, type Assignment, assignByTime, assignFolds, assignOnce } from "./assign.js";
import { type Learnt, learn } from "./learn.js";
import { RECOMMENDED_FOLDS, type SplitOptions, type SplitResult } from "./options.js";
import { readTimes, timesOfQueries } from "./times.js";
import { SideFiles } from "./write.js";

export const SPLIT_FILE = "split.json";

/**
 * Writes `train.jsonl`, `dev.jsonl`, `test.jsonl` (below `fold-1` to `fold-K` with folds) and `split.json`.
 * Repeated pairs are written once, of contradicting labels the higher one, as prepare reads them.
 * @throws RerankTuneError USAGE when the folder is not empty; DATA_NOT_FOUND; DATA_INVALID when rows cannot be read, a group
 * key or time is missing, or a side would be empty; NOT_WRITABLE, DISK_FULL; INTERRUPTED.
 */
export async function splitData(options: SplitOptions): Promise<SplitResult> {
  const { source, format, out, scratch, emit } = options;
  requireEmpty(out);
  emit({ type: "phase", name: "read labelled data" });
  const findings = new Findings();
  const data = await openData(source, { format, findings, scratch, keepSplits: false });
  try {
    findings.throwIfFatal(source);
    if (data.splitSeen) emit({ type: "warning", message: "the split that the data brings along is given up" });
    const learnt = learn(data, options);
    const clusters = learnt.together.members();
    const assignments = await assign(data, clusters, learnt, options);
    const written = await write(data, assignments, options);
    const { without_positives, made_up } = learnt;
    const counted = { clusters: clusters.length, without_positives, made_up, empty: findings.empty.total, ...written };
    const result = describe(options, data, counted);
    writeFileSync(join(out, SPLIT_FILE), `${JSON.stringify(result, null, 2)}\n`);
    return result;
  } catch (error) {
    // The folder was empty, so that all in it is ours; half a split must not look like one.
    for (const name of readdirSync(out)) rmSync(join(out, name), { recursive: true, force: true });
    throw fromFileSystemError(error, out) ?? error;
  } finally {
    data.close();
  }
}

function requireEmpty(out: string): void {
  try {
    mkdirSync(out, { recursive: true });
    if (readdirSync(out).length === 0) return;
  } catch (error) {
    throw fromFileSystemError(error, out) ?? error;
  }
  throw new RerankTuneError({
    code: "USAGE",
    message: `${out} is not empty, and a split that was measured on must not change.`,
    hint: "give a new folder with --out, or delete this one",
  });
}

async function assign(
  data: StreamedData,
  clusters: number[][],
  { trainOnly }: Learnt,
  options: SplitOptions,
): Promise<Assignment[]> {
  const { by, dev, test, folds, seed, time_field, source, emit } = options;
  const input: AssignInput = {
    clusters,
    share: { dev, test },
    shuffle: shufflesFor(seed),
    trainOnly: (query) => trainOnly[query] === true,
  };
  const measurable = trainOnly.filter((only) => !only).length;
  if (folds === undefined && measurable < FOLDS_BELOW)
    emit({
      type: "warning",
      message: `${measurable} queries make a small test split; --folds ${RECOMMENDED_FOLDS} tests every query once`,
    });
  const assignments =
    by === "time"
      ? assignByTime(input, await timesIn(data, time_field))
      : folds === undefined
        ? assignOnce(input)
        : assignFolds(input, folds);
  requireSides(assignments, data.queryCount, source, options);
  return assignments;
}

async function timesIn(data: StreamedData, field: string): Promise<(query: number) => number> {
  const files = new Set<string>();
  for (const { query } of data.groups()) files.add(query.file);
  const times = timesOfQueries(await readTimes(files, field), data.groups(), field);
  return (query) => times[query] as number;
}

/** An empty dev is what `--dev 0` asks for; nothing else may be empty. */
function requireSides(
  assignments: readonly Assignment[],
  queries: number,
  source: string,
  { dev }: SplitOptions,
): void {
  for (const { folder, sideOf } of assignments) {
    const found = new Set(Array.from({ length: queries }, (_, query) => sideOf(query)));
    const empty = SPLITS.find((side) => !found.has(side) && !(side === "dev" && dev === 0));
    if (empty !== undefined)
      throw dataInvalid(
        `No query is left for ${empty}${folder === "" ? "" : ` of ${folder}`}: ${source} has ${queries} queries, and near-duplicates and groups stay together.`,
        "give at least 20 different queries that have a passage labelled above 0, or fewer folds",
      );
  }
}

async function write(
  data: StreamedData,
  assignments: readonly Assignment[],
  { out, emit, signal }: SplitOptions,
): Promise<Pick<SplitResult, "pairs" | "files"> & { duplicates: number; contradictions: number }> {
  emit({ type: "phase", name: "write splits" });
  const files = new SideFiles(out, assignments);
  const counts = { pairs: 0, duplicates: 0, contradictions: 0 };
  try {
    await eachGroup(data, { emit, signal }, (group) => {
      counts.pairs += group.passages.length;
      counts.duplicates += group.duplicates.length;
      counts.contradictions += group.contradictions.length;
      files.add(group);
    });
  } catch (error) {
    files.discard();
    throw error;
  }
  return { ...counts, files: files.finish() };
}

interface Counted extends Pick<SplitResult, "pairs" | "files" | "clusters" | "without_positives" | "made_up"> {
  duplicates: number;
  contradictions: number;
  empty: number;
}

function describe(options: SplitOptions, data: StreamedData, counted: Counted): SplitResult {
  const { by, seed, dev, test, folds } = options;
  const { pairs, clusters, without_positives, made_up, duplicates, contradictions, empty, files } = counted;
  return {
    schema: 1,
    by,
    seed,
    dev,
    test: folds === undefined ? test : null,
    folds: folds ?? null,
    form: data.format,
    queries: data.queryCount,
    pairs,
    clusters,
    without_positives,
    made_up,
    left_out: { duplicates, contradictions, empty },
    files,
  };
}
