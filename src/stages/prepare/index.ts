// The stage prepare: labelled data of any supported form becomes three files of groups. Reads top to bottom; the rules are in its neighbours.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { hashFile } from "../../artifacts/hash.js";
import { dataNotFound } from "../../dataset/findings.js";
import { type Group, groupsFile, SPLITS, type Split, writeGroups } from "../../dataset/groups.js";
import type { LabelledData } from "../../dataset/labelled.js";
import { readLabelledData } from "../../dataset/readers/detect.js";
import { type FirstStageRun, readRun } from "../../dataset/readers/run.js";
import { specialTokensOf } from "../../inference/cut-share.js";
import { loadTokenizer } from "../../inference/tokenizer.js";
import type { Stage, StageContext } from "../../pipeline/stage.js";
import { drawsFor } from "../../ranking/draws.js";
import { checkClasses } from "./checks.js";
import { recallOf } from "./evaluation-groups.js";
import { type FirstStage, resolveKinds } from "./first-stage.js";
import { writeGuards } from "./guards.js";
import { type LengthReport, measureLengths } from "./lengths.js";
import { type Groups, makeGroups } from "./make-groups.js";
import { record } from "./record.js";
import type { PrepareOptions, PrepareOutput } from "./schema.js";
import { splitQueries } from "./split.js";

/** The recipe's section; for the length report the base's tokenizer file and the length of training; and the guard sets of verify. */
export type PrepareStageOptions = PrepareOptions & { tokenizer: string; max_length: number; guard?: string[] };

export const prepare: Stage<PrepareStageOptions, PrepareOutput, never> = {
  name: "prepare",
  // 3: dev and test groups carry the cluster of queries that are not independent.
  version: 3,
  needs: [],
  options: ({ prepare: section, train, base_dir, verify: { guard } }) => ({
    ...section,
    tokenizer: join(base_dir, "tokenizer.json"),
    max_length: train.max_length,
    ...(guard === undefined ? {} : { guard: [guard].flat() }),
  }),
  sources: ({ source, run, tokenizer, guard = [] }) => [
    { name: "prepare.source", path: source ?? "" },
    ...(run === undefined ? [] : [{ name: "prepare.run", path: run }]),
    ...guard.map((path, index) => ({ name: index === 0 ? "verify.guard" : `verify.guard.${index + 1}`, path })),
    // A base without it is refused by train, by name; here it would only be blamed on the data.
    ...(existsSync(tokenizer) ? [{ name: "base_model.tokenizer", path: tokenizer }] : []),
  ],
  tools: () => ({}),
  run: runPrepare,
};

async function runPrepare(context: StageContext, options: PrepareStageOptions): Promise<PrepareOutput> {
  const { data, run } = await read(context, options);
  const usable = data.queries.filter((query) => [...query.judgements.values()].some(({ label }) => label > 0));
  context.emit({ type: "phase", name: "split queries" });
  const split = splitQueries(usable, options);
  const kinds = resolveKinds(data, options, run !== undefined);
  context.emit({ type: "phase", name: "find candidates" });
  const { groups, stage } = await makeGroups(context, data, split, kinds, run, options);
  const digests = await writeAll(context.outDir, groups);
  await writeGuards(context, options.guard ?? [], options);
  const lengths = await lengthsOf(context, groups.train, options);
  const output = describe(data, groups, stage, digests);
  await record(context, output, {
    data,
    split,
    kinds,
    groups,
    lengths,
    without_positives: data.queries.length - usable.length,
  });
  return output;
}

async function read(
  context: StageContext,
  options: PrepareStageOptions,
): Promise<{ data: LabelledData; run: FirstStageRun | undefined }> {
  context.emit({ type: "phase", name: "read labelled data" });
  const source = options.source ?? "";
  const data = await readLabelledData(source, options.format);
  data.findings.throwIfFatal(source);
  const run = options.run === undefined ? undefined : await openRun(options.run, data);
  checkClasses(data, source, options.negatives);
  return { data, run };
}

async function openRun(file: string, data: LabelledData): Promise<FirstStageRun> {
  if (!existsSync(file))
    throw dataNotFound(
      `There is no run file ${file}.`,
      "correct `prepare.run` in the recipe; it is relative to the recipe file",
    );
  const run = await readRun(file, data);
  data.findings.throwIfFatal(file);
  return run;
}

async function writeAll(outDir: string, groups: Groups): Promise<PrepareOutput["digests"]> {
  const digests = { train: "", dev: "", test: "" };
  for (const side of SPLITS) {
    const file = join(outDir, groupsFile(side));
    await writeGroups(file, groups[side]);
    digests[side] = await hashFile(file);
  }
  return digests;
}

async function lengthsOf(
  context: StageContext,
  groups: readonly Group[],
  { tokenizer: file, max_length, seed }: PrepareStageOptions,
): Promise<LengthReport | undefined> {
  if (!existsSync(file)) {
    context.emit({ type: "warning", message: `token lengths are not measured: ${file} does not exist` });
    return undefined;
  }
  context.emit({ type: "phase", name: "measure token lengths" });
  const tokenizer = await loadTokenizer(dirname(file));
  const counter = { count: (text: string) => tokenizer.tokenize(text).ids.length, special: specialTokensOf(tokenizer) };
  return measureLengths(groups, counter, max_length, drawsFor(seed, "lengths"));
}

function describe(
  data: LabelledData,
  groups: Groups,
  stage: FirstStage,
  digests: PrepareOutput["digests"],
): PrepareOutput {
  const count = (of: (side: Split) => number) => ({ train: of("train"), dev: of("dev"), test: of("test") });
  const languages = [...new Set(data.queries.map((query) => query.lang).filter((lang) => lang !== undefined))].sort();
  const { duplicates, empty, conflicts } = data.findings;
  return {
    queries: count((side) => groups[side].length),
    pairs: count((side) => groups[side].reduce((sum, group) => sum + group.passages.length, 0)),
    corpus_passages: data.passageTexts.length,
    digests,
    dropped: { duplicates: duplicates.total, empty: empty.total, conflicts: conflicts.total },
    first_stage: { name: stage.name, recall_at_depth: recallOf(groups.test) },
    candidates_from: stage.kind,
    ...(languages.length === 0 ? {} : { languages }),
  };
}
