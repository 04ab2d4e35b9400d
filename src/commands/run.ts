// `run` and the stage commands: bring a recipe's pipeline as far as one stage and say what came out.
import { resolve } from "node:path";
import { toolVersions } from "../environment/versions.js";
import { RerankTuneError } from "../errors.js";
import { executePipeline, type PipelineResult } from "../pipeline/execute.js";
import type { StageName } from "../pipeline/stage.js";
import { loadRecipe } from "../recipe/load.js";
import type { Paint } from "../ui/colors.js";
import type { Renderable } from "../ui/output.js";
import { shellWord } from "../ui/shell-word.js";
import { resultTable } from "../ui/table.js";
import { wrapText } from "../ui/wrap.js";
import {
  type CommandContext,
  displayPath,
  loadOptions,
  programName,
  type RunFlags,
  registryFolder,
} from "./context.js";
import { joinTraining } from "./join.js";
import { launchOf } from "./launch.js";
import { planRecipe } from "./plan.js";
import { type RunData, runData } from "./result.js";

/**
 * @param target last stage to run; `publish` for all.
 * @throws RerankTuneError when nothing can be shown; a failure after the recipe was loaded comes back in the result.
 */
export async function runRecipe(
  path: string,
  target: StageName,
  flags: RunFlags,
  context: CommandContext,
): Promise<Renderable> {
  const launch = launchOf(flags);
  if (flags.dryRun === true) return await planRecipe(path, target, flags, context);
  if (launch !== undefined && launch.nodeRank > 0) return await joinTraining(path, launch, flags, context);
  const registry = registryFolder(flags);
  const { signal, emit, python } = context;
  const recipe = await loadRecipe(path, loadOptions(flags, context));
  const settings = {
    recipe,
    root: resolve(flags.artifacts),
    target,
    versions: await toolVersions(),
    python: launch === undefined ? python : async () => ({ ...(await python()), launch }),
    signal,
    emit,
    force: flags.force ?? false,
  };
  let result: PipelineResult;
  let failure: RerankTuneError | undefined;
  try {
    result = await executePipeline(settings);
  } catch (error) {
    if (!(error instanceof RerankTuneError) || !isPipelineResult(error.data)) throw error;
    failure = error;
    result = error.data;
  }
  const data = runData(recipe.name, registry, result);
  const next = failure === undefined ? await nextCommands(path, flags, data) : [];
  return {
    data,
    essential: data.version ?? data.folders[target] ?? "",
    text: (paint, columns) => runText(data, target, next, paint, columns),
    ...(failure === undefined ? {} : { failure }),
  };
}

function isPipelineResult(data: unknown): data is PipelineResult {
  return typeof data === "object" && data !== null && "stages" in data && "outputs" in data && "dirs" in data;
}

function runText(data: RunData, target: StageName, next: string[], paint: Paint, columns?: number): string {
  const lines: string[] = [];
  if (data.variants.length > 0) lines.push("", resultTable(data.variants, paint), "");
  if (data.verdict !== null) lines.push(wrapText(`verdict    ${data.verdict.summary}`, columns, 11));
  if (data.student !== null) lines.push(wrapText(`speed      ${data.student.summary}`, columns, 11));
  if (data.verdict !== null) lines.push("");
  if (data.package !== null) lines.push(`model      ${displayPath(data.package)}`);
  if (data.tei_package !== null) lines.push(`int8       ${displayPath(data.tei_package)}`);
  if (data.version !== null) lines.push(`published  ${data.version}`, `registry   ${displayPath(data.registry)}`);
  for (const { name, reason } of data.withheld) lines.push(`withheld   ${name}: ${reason}`);
  const folder = data.folders[target];
  if (data.package === null && folder !== undefined) lines.push(`${target.padEnd(9)}  ${displayPath(folder)}`);
  if (next.length > 0) lines.push("", paint("bold", "next"), ...next.map((command) => `  ${command}`));
  return lines.join("\n");
}

/** Commands that make sense now, with the person's own arguments. */
async function nextCommands(path: string, flags: RunFlags, data: RunData): Promise<string[]> {
  const program = await programName();
  const set = flags.set.map((override) => ` --set ${shellWord(override)}`).join("");
  const places = flags.artifacts === "artifacts" ? "" : ` --artifacts ${shellWord(flags.artifacts)}`;
  const registry = flags.registry === undefined ? places : ` --registry ${shellWord(flags.registry)}`;
  const recipe = `${shellWord(displayPath(resolve(path)))}${places}${set}`;
  if (data.version === null || data.package === null) return [`${program} run ${recipe}`];
  return [
    `${program} status ${recipe}`,
    `${program} registry show ${data.version.split("@")[0]}${registry}`,
    `${program} verify ${shellWord(displayPath(data.package))}`,
    `${program} init my-recipe.yaml --data my-pairs.jsonl`,
  ];
}
