// The first phase of training where the recipe has a section `trim`: the base without the pieces that its texts and languages never need.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { GUARDS_FOLDER, groupsFile, readGroups } from "../../dataset/groups.js";
import type { Source, StageContext } from "../../pipeline/stage.js";
import { exemplarVersion } from "../../trim/alphabet.js";
import { readTrimReport, type TrimReport, trimModel } from "../../trim/index.js";
import type { TrimSection } from "../../trim/schema.js";
import { textsOf } from "../../trim/texts.js";
import type { TrainOptions, TrimStageOptions } from "./schema.js";

/** Beside the work of the job, until it is done. */
export const TRIMMED_BASE = "trimmed-base";

/** What enters the key of the stage; nothing without the section. */
export function trimOptions(section: TrimSection | undefined): { trim?: TrimStageOptions } {
  if (section === undefined) return {};
  return { trim: { ...section, ...(section.languages === undefined ? {} : { exemplars: exemplarVersion() }) } };
}

export function corpusSources(section: TrimSection | undefined): Source[] {
  return corpusFiles(section).map((path, index) => ({
    name: index === 0 ? "trim.corpus" : `trim.corpus.${index + 1}`,
    path,
  }));
}

/**
 * Trims the base into the stage's folder, or takes what an interrupted run with the same key has made there.
 * @param dataset folder of the prepare artifact; the texts of all its groups stay cut as they were.
 * @param guards names of its guard sets.
 * @returns undefined where the recipe does not ask for it.
 * @throws RerankTuneError those of `trimModel`.
 */
export async function trimmedBase(
  { outDir, signal, emit }: Pick<StageContext, "outDir" | "signal" | "emit">,
  { trim, base_dir }: TrainOptions,
  dataset: string,
  guards: readonly string[],
): Promise<{ dir: string; report: TrimReport } | undefined> {
  if (trim === undefined) return undefined;
  const dir = join(outDir, TRIMMED_BASE);
  const known = await readTrimReport(dir);
  if (known !== undefined) return { dir, report: known };
  await rm(dir, { recursive: true, force: true });
  const file = (split: "train" | "dev" | "test"): string => join(dataset, groupsFile(split));
  const guardFiles = guards.map((name) => join(dataset, GUARDS_FOLDER, `${name}.jsonl`));
  const corpus = corpusFiles(trim);
  const report = await trimModel({
    model: base_dir,
    corpus: async function* () {
      yield* textsOf(corpus);
      yield* textsOfGroups([file("train"), ...guardFiles]);
    },
    heldOut: () => textsOfGroups([file("dev"), file("test")]),
    languages: trim.languages ?? [],
    keep: trim.keep,
    out: dir,
    signal,
    emit,
  });
  for (const message of notes(report)) emit({ type: "note", message });
  return { dir, report };
}

/** What the person learns at once; the rest is in the report. */
function notes({ pieces, texts, unseen }: TrimReport): string[] {
  const count = (value: number): string => value.toLocaleString("en-US");
  const trimmed = `vocabulary ${count(pieces.before)} → ${count(pieces.after)} pieces; ${count(texts)} texts are cut as before`;
  if (unseen === null || unseen.texts === 0) return [trimmed];
  const { before, after } = unseen.tokens;
  const more = before === 0 ? 0 : (100 * (after - before)) / before;
  const share = (100 * unseen.cut_otherwise) / unseen.texts;
  return [
    trimmed,
    `cut to the texts outside dev and test alone, ${share.toFixed(1)} % of the ${count(unseen.texts)} new texts in them would be cut otherwise, into ${more.toFixed(1)} % more tokens`,
  ];
}

async function* textsOfGroups(files: readonly string[]): AsyncGenerator<string> {
  for (const file of files)
    for await (const { query, passages } of readGroups(file)) {
      yield query;
      for (const { text } of passages) yield text;
    }
}

function corpusFiles(section: TrimSection | undefined): string[] {
  return [section?.corpus ?? []].flat();
}
