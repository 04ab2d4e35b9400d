// Recipe file → recipe with absolute paths and a base model on disk.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { builtinBase, builtinData } from "../builtin/index.js";
import type { PythonRuntime } from "../environment/python-runtime.js";
import { RerankTuneError } from "../errors.js";
import type { StageEvent } from "../events.js";
import { baseLicense } from "../hub/base-license.js";
import { checkBase, checkSmallFiles } from "../hub/check-base.js";
import { resolveBase } from "../hub/resolve-base.js";
import type { ResolvedRecipe } from "../pipeline/stage.js";
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

/**
 * Holds the recipe's own folder of a base against what train needs.
 * @returns `absent` where the folder is not there, `elsewhere` for a base that is fetched first.
 * @throws RerankTuneError as `checkBase`.
 */
export async function checkLocalBase(recipe: Recipe, path: string): Promise<"sound" | "absent" | "elsewhere"> {
  const { path: named } = recipe.base_model;
  if (named === undefined) return "elsewhere";
  const base = resolve(folderOf(path), named);
  if (!existsSync(base)) return "absent";
  await checkBase(base, recipe.base_model);
  return "sound";
}

/**
 * Reads a recipe and brings its base model and embedded data onto this machine.
 * @throws RerankTuneError as `validateRecipe`, `resolveBase` and `checkBase`.
 */
export async function loadRecipe(path: string, options: LoadOptions): Promise<ResolvedRecipe> {
  const recipe = await validateRecipe(path, options.overrides);
  const folder = folderOf(path);
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
  const named = recipe.publish.sign_with;
  const sign_with = named === undefined || named.startsWith("env:") ? named : resolve(folder, named);
  const base = await findBase(recipe, folder, options);
  // A folder that is not there blocks its stages by name; a plan then still shows the others.
  if (existsSync(base.base_dir)) await checkBase(base.base_dir, recipe.base_model);
  const license = await baseLicense(base.base_dir);
  return {
    ...recipe,
    prepare,
    ...(recipe.trim === undefined || corpus.length === 0 ? {} : { trim: { ...recipe.trim, corpus } }),
    verify: { ...recipe.verify, ...(guard.length === 0 ? {} : { guard }) },
    publish: { ...recipe.publish, ...(sign_with === undefined ? {} : { sign_with }) },
    ...base,
    ...(license === undefined ? {} : { base_license: license }),
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
    const check = (partial: string) => checkSmallFiles(partial, recipe.base_model);
    const settings = { repo, revision, cacheDir: home, offline: offline ?? false, check, emit, signal };
    const { dir, sha } = await resolveBase(settings);
    return { base_dir: dir, base_identity: `hub:${repo}@${sha}` };
  }
  const base_dir = await builtinBase({
    ...builtinOptions(options),
    ...(options.builtin?.base === undefined ? {} : { path: options.builtin.base }),
  });
  return { base_dir, base_identity: `builtin:${builtin}` };
}

const folderOf = (path: string): string => (path === "-" ? process.cwd() : dirname(resolve(path)));

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
