// `quickstart`: the whole job on the embedded medical-coding task, with the recipe that ships with the package.
import { join } from "node:path";
import { RECIPES_FOLDER } from "../environment/package-root.js";
import type { Renderable } from "../ui/output.js";
import type { CommandContext, RunFlags } from "./context.js";
import { runRecipe } from "./run.js";

export const QUICKSTART_RECIPE = join(RECIPES_FOLDER, "minilm-l6-icd10-ce.yaml");

export async function quickstart(flags: RunFlags, context: CommandContext): Promise<Renderable> {
  return await runRecipe(QUICKSTART_RECIPE, "publish", flags, context);
}
