// Builds the groups of all three sides from split queries. What goes into one group is decided by its neighbours.

import { dataInvalid } from "../../dataset/findings.js";
import { type Group, SPLITS, type Split } from "../../dataset/groups.js";
import type { LabelledData, LabelledQuery } from "../../dataset/labelled.js";
import type { FirstStageRun } from "../../dataset/readers/run.js";
import { interrupted } from "../../errors.js";
import type { StageContext } from "../../pipeline/stage.js";
import { drawsFor } from "../../ranking/draws.js";
import { evaluationGroup, markClusters } from "./evaluation-groups.js";
import { type FirstStage, type FirstStageKind, firstStages } from "./first-stage.js";
import type { PrepareOptions } from "./schema.js";
import type { ClusteredSplit } from "./split.js";
import { knownPositives, trainingGroup } from "./training-groups.js";

export type Groups = Record<Split, Group[]>;

/** Who gives candidates, and who gives training negatives. */
export interface Kinds {
  candidates: FirstStageKind;
  negatives: FirstStageKind;
}

type Maker = (query: LabelledQuery) => Group | undefined;

/**
 * Goes through each side in its order until `max_queries` groups are made. Dev and test carry their clusters.
 * @throws RerankTuneError DATA_INVALID when a side gets no group, INTERRUPTED.
 */
export async function makeGroups(
  context: StageContext,
  data: LabelledData,
  { sides, clusters }: Pick<ClusteredSplit, "sides" | "clusters">,
  kinds: Kinds,
  run: FirstStageRun | undefined,
  options: PrepareOptions,
): Promise<{ groups: Groups; stage: FirstStage }> {
  const stages = firstStages(data, run);
  const stage = stages(kinds.candidates);
  const miner = kinds.negatives === "judged" ? undefined : stages(kinds.negatives);
  const positives = knownPositives(data, data.queries);
  const draw = drawsFor(options.seed, "random negatives");
  const evaluation: Maker = (query) => evaluationGroup(data, query, stage, options.candidates.depth);
  const makers: Record<Split, Maker> = {
    train: (query) => trainingGroup(data, query, miner, positives, options.negatives, draw),
    dev: evaluation,
    test: evaluation,
  };
  const groups: Groups = { train: [], dev: [], test: [] };
  for (const side of SPLITS)
    groups[side] = await makeSide(context, side, sides[side], makers[side], options.max_queries[side]);
  for (const side of ["dev", "test"] as const) groups[side] = markClusters(groups[side], clusters);
  return { groups, stage };
}

async function makeSide(
  context: StageContext,
  side: Split,
  queries: readonly LabelledQuery[],
  make: Maker,
  limit = queries.length,
): Promise<Group[]> {
  const groups: Group[] = [];
  const total = Math.min(limit, queries.length);
  let tried = 0;
  for (const query of queries) {
    if (groups.length === limit) break;
    const group = make(query);
    if (group !== undefined) groups.push(group);
    if (++tried % 100 === 0) await breathe(context, groups.length, total);
  }
  if (side === "train") reportLeftOut(context, tried, groups.length);
  else reportEmpty(context, side, groups);
  return groups;
}

/** Lets signals and the display have a turn. */
async function breathe(context: StageContext, completed: number, total: number): Promise<void> {
  context.emit({ type: "progress", completed, total, unit: "queries" });
  await new Promise((resolve) => setImmediate(resolve));
  if (context.signal.aborted) throw interrupted(context.signal);
}

function reportLeftOut(context: StageContext, tried: number, made: number): void {
  const why = "have no negative to learn from";
  if (made < tried)
    context.emit({ type: "warning", message: `${tried - made} of ${tried} train queries ${why}; they are left out` });
  if (made > 0) return;
  throw dataInvalid(
    `All ${tried} train queries ${why}.`,
    "draw them from all passages: `--set prepare.negatives.from=bm25`",
  );
}

function reportEmpty(context: StageContext, side: Split, groups: readonly Group[]): void {
  const empty = groups.filter(({ passages }) => passages.length === 0).length;
  const what = `${empty} of ${groups.length} ${side} queries get no candidate from the first stage`;
  if (empty > 0) context.emit({ type: "warning", message: `${what}; they count as 0 for every system` });
  if (empty < groups.length) return;
  throw dataInvalid(`${what}.`, "draw them from all passages: `--set prepare.candidates.from=bm25`");
}
