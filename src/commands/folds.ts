// `folds`: trains a recipe k times, each time without another part of the queries, and judges all of them at once. For data too small for one test split.
import { join, resolve } from "node:path";
import { DigestMemory } from "../artifacts/digests.js";
import { canonicalJson, hashText } from "../artifacts/hash.js";
import { FOLD_SOURCES_VERSION, type FoldOptions, planFolds } from "../data-tools/split/fold-sources.js";
import { RerankTuneError } from "../errors.js";
import type { ResolvedRecipe, Stage } from "../pipeline/stage.js";
import { loadRecipe } from "../recipe/load.js";
import { sliceLine } from "../stages/verify/judge-tuned.js";
import type { Renderable } from "../ui/output.js";
import { columns } from "../ui/table.js";
import { type CommandContext, loadOptions, programName } from "./context.js";
import type { FoldsData, FoldsFlags } from "./folds-data.js";
import { planAll, trainAll, type Workplace } from "./folds-run.js";
import { finalCommand, foldsText } from "./folds-text.js";
import { type FoldsResult, judgeFolds } from "./folds-verdict.js";
import { loadWithoutFetching } from "./plan.js";

/**
 * Finished stages of finished folds are taken from the store, so that an interrupted command goes on where it was.
 * @param stages instead of the pipeline's own, for tests.
 * @throws RerankTuneError USAGE; what loading a recipe and reading its data throws; that of the stage that failed, with the
 * fold in its message. GATE_FAILED for a verdict against the tuned model comes back in the result.
 */
export async function folds(
  path: string,
  flags: FoldsFlags,
  context: CommandContext,
  stages?: readonly Stage[],
): Promise<Renderable> {
  requireCount(flags.folds);
  const place = await openWorkplace(path, flags, context, stages);
  if (flags.dryRun === true) return await showPlan(place);
  const result = await judgeFolds(await trainAll(place), place.plan.clusterOf, place.recipe.train.queries_per_step);
  for (const slice of result.verdict.slices)
    if (slice.significant_loss) context.emit({ type: "warning", message: sliceLine(slice) });
  return await show(path, place, result);
}

function requireCount(count: number): void {
  if (count >= 2 && count <= 20) return;
  throw new RerankTuneError({
    code: "USAGE",
    message: `--folds ${count} is not 2 to 20.`,
    hint: "5 folds are usual: --folds 5",
  });
}

async function openWorkplace(
  path: string,
  flags: FoldsFlags,
  context: CommandContext,
  stages: readonly Stage[] | undefined,
): Promise<Workplace> {
  const recipe = await (flags.dryRun === true
    ? loadForPlan(path, flags, context)
    : loadRecipe(path, loadOptions(flags, context)));
  refuseStudent(recipe);
  const { source = "", format, split, seed } = recipe.prepare;
  const options: FoldOptions = {
    source,
    format,
    folds: flags.folds,
    dev: split.dev,
    seed,
    ignoreSplit: flags.ignoreSplit ?? false,
  };
  context.emit({ type: "phase", name: "read labelled data" });
  const plan = await planFolds(options);
  const root = resolve(flags.artifacts);
  const folder = join(root, `${recipe.name}.folds`, await keyOf(options, root));
  return { recipe, plan, folder, root, flags, context, stages };
}

/** The folds ask whether a model is better than its base; a student must not be much worse than its own. */
function refuseStudent({ train }: ResolvedRecipe): void {
  if (train.student === null) return;
  throw new RerankTuneError({
    code: "USAGE",
    message: "folds does not judge students (train.student): it asks whether a model beats its base.",
    hint: "fold the teacher's recipe, then train the student of it with `rerank-tune run RECIPE`",
  });
}

async function loadForPlan(path: string, flags: FoldsFlags, context: CommandContext): Promise<ResolvedRecipe> {
  const recipe = await loadWithoutFetching(path, flags, context);
  if (recipe !== undefined) return recipe;
  throw new RerankTuneError({
    code: "DOWNLOAD_FAILED",
    message: "The base model or the data is still to be fetched, and a plan downloads nothing.",
    hint: "run the same command without --dry-run",
  });
}

/** Names the folder of the folds after all that decides its content; where the source lies does not. */
async function keyOf({ source, folds: count, ...options }: FoldOptions, root: string): Promise<string> {
  const digests = new DigestMemory(join(root, ".digests.json"));
  const content = await digests.digest(source);
  await digests.save().catch(() => undefined); // a lost memory costs time only
  const { format, dev, seed } = options;
  return hashText(canonicalJson({ version: FOLD_SOURCES_VERSION, content, count, format, dev, seed })).slice(0, 12);
}

async function showPlan(place: Workplace): Promise<Renderable> {
  const planned = await planAll(place);
  const rows = planned.flatMap(({ fold, stages }) =>
    stages.map(({ name, status, reason }) => [`fold ${fold}`, name, status, reason]),
  );
  const waiting = planned.filter(({ stages }) => stages.some(({ status }) => status !== "cached"));
  return {
    data: { recipe: place.recipe.name, measurable: place.plan.measurable, folds: planned },
    essential: waiting.map(({ name }) => name).join(" "),
    text: () => columns(rows, [1, 2, 3]).join("\n"),
  };
}

async function show(path: string, { recipe, plan, flags }: Workplace, result: FoldsResult): Promise<Renderable> {
  const { verdict, median } = result;
  const improved = verdict.outcome === "improved" && median.best_epochs > 0;
  const epochs = Math.max(0.01, Number(median.best_epochs.toFixed(2)));
  const final = improved ? { epochs, keeps_split: plan.gaveUpSplit } : null;
  const data: FoldsData = { recipe: recipe.name, measurable: plan.measurable, ...result, final };
  const commands = final === null ? [] : finalCommand(await programName(), path, flags, final);
  return {
    data,
    essential: verdict.advice,
    text: (paint, width) => foldsText(data, commands, paint, width),
    ...(verdict.outcome === "improved" ? {} : { failure: keepTheBase(verdict.summary) }),
  };
}

function keepTheBase(summary: string): RerankTuneError {
  return new RerankTuneError({
    code: "GATE_FAILED",
    message: `${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}.`,
    hint: "label more queries, look for false negatives with `rerank-tune data check`, mine harder negatives, or take a stronger base",
  });
}
