// Reads a pipeline folder into the data of the report. The only part of the room that touches the disk.
import type { Artifact, ArtifactStore } from "../../artifacts/store.js";
import { RerankTuneError } from "../../errors.js";
import { readScores } from "../../ranking/scores.js";
import {
  type Affine,
  isMissing,
  type Missing,
  type Part,
  type Reliability,
  type ReportData,
  type SystemScores,
} from "../data.js";
import { checkedFile, findChain } from "./artifacts.js";
import { collectMaking } from "./making.js";
import { gainsOf, readTestQueries, reliabilityOf, systemScores } from "./test-split.js";
import { thresholdsOf } from "./thresholds.js";
import { calibrationMap, collectTraining } from "./training.js";
import { collectVerified } from "./verified.js";

const GROUPS_FILE = "groups.test.jsonl";
const TUNED_FILE = "scores.tuned.test.tsv";
const BASE_FILE = "scores.base.test.tsv";

/**
 * The data of the newest finished training of a recipe and of what belongs to it.
 * @param recipePath as the person typed it, for the hint.
 * @throws RerankTuneError DATA_NOT_FOUND before the first finished training; ARTIFACT_CORRUPT, DATA_INVALID.
 */
export async function collectReport(store: ArtifactStore, recipePath: string): Promise<ReportData> {
  const chain = await findChain(store);
  const train = chain?.get("train");
  if (chain === undefined || train === undefined)
    throw new RerankTuneError({
      code: "DATA_NOT_FOUND",
      message: `There is no finished training of ${store.recipe} in ${store.folder}.`,
      hint: `train it first: \`rerank-tune train ${recipePath === "-" ? "RECIPE" : recipePath}\`; runs of another folder are found with --artifacts`,
    });
  return {
    recipe: store.recipe,
    training: await collectTraining(train),
    ...collectVerified(chain.get("verify")),
    ...(await collectTestSplit(train, chain.get("prepare"))),
    making: await collectMaking(chain),
  };
}

type OfTestSplit = Pick<ReportData, "gains" | "scores" | "reliability" | "thresholds">;

async function collectTestSplit(train: Artifact, prepare: Artifact | undefined): Promise<OfTestSplit> {
  const groupsFile = prepare === undefined ? undefined : await checkedFile(prepare, GROUPS_FILE);
  const tunedFile = await checkedFile(train, TUNED_FILE);
  if (groupsFile === undefined) return nothing("The prepared test split of this training is no longer there.");
  if (tunedFile === undefined) return nothing("This training left no scores of the test split.");
  const queries = await readTestQueries(groupsFile);
  const tuned = await readScores(tunedFile);
  const baseFile = await checkedFile(train, BASE_FILE);
  const base = baseFile === undefined ? undefined : await readScores(baseFile);
  const ofTuned = systemScores("tuned", queries, tuned);
  const map = calibrationMap(train);
  const ofBase: Part<SystemScores> =
    base === undefined
      ? { missing: "The base model is no reranker: its head was fresh, so it has no scores to show." }
      : systemScores("base", queries, base);
  return {
    gains: gainsOf(queries, tuned, base),
    scores: isMissing(ofTuned) ? ofTuned : { base: ofBase, tuned: ofTuned },
    reliability: isMissing(ofTuned) ? ofTuned : reliabilities(ofBase, ofTuned, map),
    thresholds: isMissing(ofTuned) ? ofTuned : thresholdsOf(ofTuned, map !== undefined),
  };
}

/** The base, then the tuned model: once, or before and after its calibration. */
function reliabilities(base: Part<SystemScores>, tuned: SystemScores, map: Affine | undefined): Reliability[] {
  const ofBase = isMissing(base) ? [] : [reliabilityOf("base", base)];
  if (map === undefined) return [...ofBase, reliabilityOf("tuned", tuned)];
  return [
    ...ofBase,
    reliabilityOf("tuned, before calibration", tuned, map),
    reliabilityOf("tuned, after calibration", tuned),
  ];
}

function nothing(sentence: string): OfTestSplit {
  const part: Missing = { missing: sentence };
  return { gains: part, scores: part, reliability: part, thresholds: part };
}
