// `status` and `--dry-run`: what a run would do and why, with the last results. Runs no stage.
import { resolve } from "node:path";
import { ArtifactStore } from "../artifacts/store.js";
import { toolVersions } from "../environment/versions.js";
import { RerankTuneError } from "../errors.js";
import { planPipeline } from "../pipeline/plan.js";
import { type ResolvedRecipe, STAGE_NAMES, type StageName } from "../pipeline/stage.js";
import { loadRecipe, validateRecipe } from "../recipe/load.js";
import type { PublishOutput } from "../stages/publish/schema.js";
import type { VerifyOutput } from "../stages/verify/schema.js";
import type { Paint } from "../ui/colors.js";
import { duration } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { columns, resultTable, type VariantRow } from "../ui/table.js";
import { type CommandContext, loadOptions, type RunFlags } from "./context.js";
import { variantRows } from "./result.js";

export interface PlanData {
  recipe: string;
  stages: { name: StageName; status: "cached" | "run" | "blocked"; reason: string; seconds: number | null }[];
}

export interface StatusData extends PlanData {
  /** Of the newest finished verify and publish, even when they would run again; empty or null before the first. */
  variants: VariantRow[];
  version: string | null;
}

/** The plan up to `target`. */
export async function planRecipe(
  path: string,
  target: StageName,
  flags: RunFlags,
  context: CommandContext,
): Promise<Renderable> {
  const data = await plan(path, target, flags, context);
  const waiting = data.stages.filter(({ status }) => status !== "cached").map(({ name }) => name);
  return { data, essential: waiting.join(" "), text: () => planText(data) };
}

/** The whole plan and what was reached last. */
export async function showStatus(path: string, flags: RunFlags, context: CommandContext): Promise<Renderable> {
  const planned = await plan(path, "publish", flags, context);
  const store = new ArtifactStore(resolve(flags.artifacts), planned.recipe);
  const verified = await lastOutput<VerifyOutput>(store, "verify");
  const published = await lastOutput<PublishOutput>(store, "publish");
  const data: StatusData = {
    ...planned,
    variants: verified === undefined ? [] : variantRows(verified),
    version: published?.version ?? null,
  };
  const waiting = data.stages.filter(({ status }) => status !== "cached").map(({ name }) => name);
  return { data, essential: waiting.join(" "), text: (paint) => statusText(data, paint) };
}

async function plan(path: string, target: StageName, flags: RunFlags, context: CommandContext): Promise<PlanData> {
  const recipe = await loadWithoutFetching(path, flags, context);
  if (recipe === undefined) return await planBeforeFetching(path, target, flags);
  const root = resolve(flags.artifacts);
  const settings = { recipe, root, target, versions: await toolVersions(), force: flags.force ?? false };
  const { stages } = await planPipeline(settings);
  return { recipe: recipe.name, stages: stages.map((stage) => ({ ...stage, seconds: stage.seconds ?? null })) };
}

/** A plan downloads nothing and builds nothing. @returns undefined when the base or the embedded data is not on this machine yet. */
export async function loadWithoutFetching(
  path: string,
  flags: RunFlags,
  context: CommandContext,
): Promise<ResolvedRecipe | undefined> {
  const missing = new RerankTuneError({
    code: "DOWNLOAD_FAILED",
    message: "A plan downloads nothing.",
    hint: "run the recipe",
  });
  const options = { ...loadOptions(flags, context), offline: true, python: () => Promise.reject(missing) };
  try {
    return await loadRecipe(path, options);
  } catch (error) {
    if (error instanceof RerankTuneError && error.code === "DOWNLOAD_FAILED") return undefined;
    throw error;
  }
}

async function planBeforeFetching(path: string, target: StageName, flags: RunFlags): Promise<PlanData> {
  const { name } = await validateRecipe(path, flags.set);
  const names = STAGE_NAMES.slice(0, STAGE_NAMES.indexOf(target) + 1);
  const reason = (index: number) =>
    index === 0 ? "the base model or the data is still to be fetched" : `after ${names[index - 1]}`;
  return {
    recipe: name,
    stages: names.map((stage, index) => ({ name: stage, status: "run", reason: reason(index), seconds: null })),
  };
}

/** The store keeps an output as JSON; its shape is the stage's own. */
async function lastOutput<Output>(store: ArtifactStore, name: StageName): Promise<Output | undefined> {
  const manifest = await store.latest(store.stageFolder(STAGE_NAMES.indexOf(name), name));
  return manifest?.output as Output | undefined;
}

function planText({ stages }: PlanData): string {
  const rows = stages.map(({ name, status, seconds, reason }) => [
    name,
    status,
    seconds === null ? "" : duration(seconds),
    reason,
  ]);
  return columns(rows, [1, 3]).join("\n");
}

function statusText(data: StatusData, paint: Paint): string {
  const lines = [planText(data)];
  if (data.variants.length > 0) lines.push("", resultTable(data.variants, paint));
  if (data.version !== null) lines.push("", `published  ${data.version}`);
  return lines.join("\n");
}
