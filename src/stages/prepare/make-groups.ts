// Builds the groups of all three sides from split queries. What goes into one group is decided by its neighbours.
import { dataInvalid } from "../../dataset/findings.js";
import { type Group, SPLITS, type Split } from "../../dataset/groups.js";
import type { LabelledData, LabelledQuery } from "../../dataset/labelled.js";
import type { FirstStageRun } from "../../dataset/readers/run.js";
import type { StageContext } from "../../pipeline/stage.js";
import { interrupted } from "../../worker/run-job.js";
import { drawsFor } from "./draws.js";
import { evaluationGroup } from "./evaluation-groups.js";
import { type FirstStage, type FirstStageKind, firstStages } from "./first-stage.js";
import type { PrepareOptions } from "./schema.js";
import type { Sides } from "./split.js";
import { knownPositives, trainingGroup } from "./training-groups.js";

export type Groups = Record<Split, Group[]>;

/** Who gives candidates, and who gives training negatives. */
export interface Kinds {
  candidates: FirstStageKind;
  negatives: FirstStageKind;
}

type Maker = (query: LabelledQuery) => Group | undefined;

/**
 * Goes through each side in its order until `max_queries` groups are made.
 * @throws RerankTuneError DATA_INVALID when a side gets no group, INTERRUPTED.
 */
export async function makeGroups(
  context: StageContext,
  data: LabelledData,
  sides: Sides,
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
  reportLeftOut(context, side, tried, groups.length);
  return groups;
}

/** Lets signals and the display have a turn. */
async function breathe(context: StageContext, completed: number, total: number): Promise<void> {
  context.emit({ type: "progress", completed, total, unit: "queries" });
  await new Promise((resolve) => setImmediate(resolve));
  if (context.signal.aborted) throw interrupted(context.signal);
}

function reportLeftOut(context: StageContext, side: Split, tried: number, made: number): void {
  const training = side === "train";
  const why = training
    ? "have no negative to learn from"
    : "get no candidate from the first stage, so that no reranker can help them";
  if (made < tried)
    context.emit({ type: "warning", message: `${tried - made} of ${tried} ${side} queries ${why}; they are left out` });
  if (made > 0) return;
  throw dataInvalid(
    `All ${tried} ${side} queries ${why}.`,
    `draw them from all passages: \`--set prepare.${training ? "negatives" : "candidates"}.from=bm25\``,
  );
}
