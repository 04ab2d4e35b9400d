// Recipe file → recipe with absolute paths and a base model on disk.
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { builtinBase, builtinData } from "../builtin/index.js";
import { RerankTuneError } from "../errors.js";
import { resolveBase } from "../hub/resolve-base.js";
import type { ResolvedRecipe, StageEvent } from "../pipeline/stage.js";
import type { PythonRuntime } from "../worker/run-job.js";
import { parseRecipe } from "./parse.js";
import type { Recipe } from "./schema.js";

export interface LoadOptions {
  /** `--set` values. */
  overrides: string[];
  registryDir: string;
  /** Cache folder of the tool. */
  home: string;
  /** Use nothing but what is cached. */
  offline?: boolean;
  /** Replacements for the embedded downloads. */
  builtin?: { base?: string; data?: string };
  python(): Promise<PythonRuntime>;
  emit(event: StageEvent): void;
  signal: AbortSignal;
}

/**
 * Reads and checks a recipe; touches neither its data nor its base.
 * @param path file, or `-` for standard input.
 * @throws RerankTuneError RECIPE_NOT_FOUND, RECIPE_INVALID.
 */
export async function validateRecipe(path: string, overrides: string[] = []): Promise<Recipe> {
  return parseRecipe(await readRecipe(path), { file: path, overrides });
}

/** Reads a recipe and brings its base model and embedded data onto this machine. */
export async function loadRecipe(path: string, options: LoadOptions): Promise<ResolvedRecipe> {
  const recipe = await validateRecipe(path, options.overrides);
  const folder = path === "-" ? process.cwd() : dirname(resolve(path));
  const prepare = { ...recipe.prepare };
  if (prepare.builtin !== undefined)
    prepare.source = await builtinData({
      ...builtinOptions(options),
      ...(options.builtin?.data === undefined ? {} : { path: options.builtin.data }),
    });
  else if (prepare.source !== undefined) prepare.source = resolve(folder, prepare.source);
  if (prepare.run !== undefined) prepare.run = resolve(folder, prepare.run);
  const guard = [recipe.verify.guard ?? []].flat().map((path) => resolve(folder, path));
  const corpus = [recipe.trim?.corpus ?? []].flat().map((path) => resolve(folder, path));
  return {
    ...recipe,
    prepare,
    ...(recipe.trim === undefined || corpus.length === 0 ? {} : { trim: { ...recipe.trim, corpus } }),
    verify: { ...recipe.verify, ...(guard.length === 0 ? {} : { guard }) },
    ...(await findBase(recipe, folder, options)),
    registry_dir: resolve(options.registryDir),
  };
}

async function findBase(
  recipe: Recipe,
  folder: string,
  options: LoadOptions,
): Promise<Pick<ResolvedRecipe, "base_dir" | "base_identity">> {
  const { path, repo, revision, builtin } = recipe.base_model;
  if (path !== undefined)
    return {
      base_dir: resolve(folder, path),
      base_identity: `local:${path.split(/[\\/]/).filter(Boolean).at(-1) ?? path}`,
    };
  if (repo !== undefined) {
    const { emit, signal, home, offline } = options;
    const { dir, sha } = await resolveBase({ repo, revision, cacheDir: home, offline: offline ?? false, emit, signal });
    return { base_dir: dir, base_identity: `hub:${repo}@${sha}` };
  }
  const base_dir = await builtinBase({
    ...builtinOptions(options),
    ...(options.builtin?.base === undefined ? {} : { path: options.builtin.base }),
  });
  return { base_dir, base_identity: `builtin:${builtin}` };
}

function builtinOptions(options: LoadOptions) {
  const { home, signal, emit } = options;
  return { cacheDir: home, python: async () => (await options.python()).executable, signal, emit };
}

async function readRecipe(path: string): Promise<string> {
  if (path === "-") return await text(process.stdin);
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new RerankTuneError({
      code: "RECIPE_NOT_FOUND",
      message: `The recipe ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
      hint: "give the path of a YAML file; `rerank-tune init` writes one",
      cause: error,
    });
  }
}
