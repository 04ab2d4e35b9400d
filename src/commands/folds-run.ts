// Walks the folds of `folds` through prepare and train, or says what that would do. Judges nothing.
import { foldSource, isWritten, type PlannedFolds, writeFolds } from "../data-tools/split/fold-sources.js";
import { ProblemList } from "../dataset/findings.js";
import { toolVersions } from "../environment/versions.js";
import { RerankTuneError } from "../errors.js";
import { executePipeline } from "../pipeline/execute.js";
import { type PlannedStage, planPipeline } from "../pipeline/plan.js";
import type { ResolvedRecipe, Stage, ToolVersions } from "../pipeline/stage.js";
import { inClusters } from "../ranking/clusters.js";
import { detectablePoints, findingKinds, warnings } from "../stages/prepare/report.js";
import type { CommandContext } from "./context.js";
import type { FoldsFlags } from "./folds-data.js";
import type { FinishedFold } from "./folds-verdict.js";

/** Everything that is settled before the first fold. */
export interface Workplace {
  recipe: ResolvedRecipe;
  plan: PlannedFolds;
  /** Folder with the sources of the folds. */
  folder: string;
  root: string;
  flags: FoldsFlags;
  context: CommandContext;
  /** Instead of the pipeline's own, for tests. */
  stages: readonly Stage[] | undefined;
}

/**
 * Brings prepare and train of every fold into the store; what is there already is taken from it.
 * @throws RerankTuneError of the stage that failed, with the fold in its message; FOLDER_IN_USE, NOT_WRITABLE, DISK_FULL.
 */
export async function trainAll(place: Workplace): Promise<FinishedFold[]> {
  const { flags } = place;
  tellBefore(place);
  await writeFolds(place.folder, place.plan);
  const versions = await toolVersions();
  const finished: FinishedFold[] = [];
  for (let fold = 1; fold <= flags.folds; fold++) finished.push(await trainFold(place, fold, versions));
  return finished;
}

async function trainFold(place: Workplace, fold: number, versions: ToolVersions): Promise<FinishedFold> {
  const { context, flags, root, stages } = place;
  const recipe = recipeOf(place, fold);
  context.emit({ type: "note", message: `fold ${fold} of ${flags.folds}: ${recipe.name}` });
  const settings = { recipe, root, versions, target: "train", force: flags.force ?? false } as const;
  const { python, signal } = context;
  const emit = withoutCounts(context.emit);
  try {
    const result = await executePipeline({
      ...settings,
      python,
      signal,
      emit,
      ...(stages === undefined ? {} : { stages }),
    });
    return { fold, name: recipe.name, result };
  } catch (error) {
    throw inFold(error, fold, flags.folds);
  }
}

/** A fold differs from the recipe in its data alone, and those carry their split. */
function recipeOf({ recipe, plan, folder }: Workplace, fold: number): ResolvedRecipe {
  const { builtin: _, ...prepare } = recipe.prepare;
  return {
    ...recipe,
    name: `${recipe.name}.fold-${fold}`,
    prepare: { ...prepare, format: "auto", source: foldSource(folder, plan, fold) },
  };
}

/** prepare's notes are about one fold's part of the data; what its small test split alone could show would mislead. */
function withoutCounts(emit: CommandContext["emit"]): CommandContext["emit"] {
  let stage = "";
  return (event) => {
    if (event.type === "stage") stage = event.name;
    if (event.type !== "note" || stage !== "prepare") emit(event);
  };
}

/** One fold that fails ends the command: a recipe that collapses on some of the data is not to be trusted with all of it. */
function inFold(error: unknown, fold: number, count: number): unknown {
  if (!(error instanceof RerankTuneError)) return error;
  const { code, message, hint, problems, data } = error;
  if (code === "INTERRUPTED" || code === "TERMINATED") return error;
  const where = `Fold ${fold} of ${count}: ${message}`;
  return new RerankTuneError({ code, message: where, hint, problems, data, cause: error.cause ?? error });
}

/** What the data has against it, and what so many queries can show: before anything is trained. */
function tellBefore({ plan, flags, context }: Workplace): void {
  const none = { sides: { train: [], dev: [], test: [] }, leaked: new ProblemList(), similar: new ProblemList() };
  for (const message of warnings(findingKinds(plan.data, none))) context.emit({ type: "warning", message });
  if (plan.gaveUpSplit) context.emit({ type: "warning", message: "the split that the data brings along is given up" });
  const { measurable, clusters } = plan;
  // As if the queries of a cluster gained alike, so that no more is promised than the folds can keep.
  const [much, little] = detectablePoints(clusters);
  const queries = `${measurable} queries${inClusters(clusters === measurable ? {} : { clusters })}`;
  context.emit({
    type: "note",
    message: `${queries} in ${flags.folds} folds, each tested once: a gain of NDCG@10 shows from about ${much} points up, four times in five (${little} where queries gain alike)`,
  });
}

export interface PlannedFold {
  fold: number;
  name: string;
  stages: Pick<PlannedStage, "name" | "status" | "reason">[];
}

/** What `trainAll` would do. Writes nothing but the memory of digests. */
export async function planAll(place: Workplace): Promise<PlannedFold[]> {
  const { flags, root, stages, folder } = place;
  const settings = { root, target: "train", versions: await toolVersions(), force: flags.force ?? false } as const;
  const written = await isWritten(folder);
  const planned: PlannedFold[] = [];
  for (let fold = 1; fold <= flags.folds; fold++) {
    const recipe = recipeOf(place, fold);
    const reached = written
      ? (await planPipeline({ ...settings, recipe, ...(stages === undefined ? {} : { stages }) })).stages
      : STILL_TO_SPLIT;
    planned.push({
      fold,
      name: recipe.name,
      stages: reached.map(({ name, status, reason }) => ({ name, status, reason })),
    });
  }
  return planned;
}

const STILL_TO_SPLIT: readonly PlannedStage[] = [
  { name: "prepare", status: "run", reason: "the data is still to be split" },
  { name: "train", status: "run", reason: "after prepare" },
];
