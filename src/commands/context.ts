// What every command gets besides its own flags, and small things all of them say. No work is done here.
import { access, constants } from "node:fs/promises";
import { delimiter, join, relative, resolve, sep } from "node:path";
import type { PythonRuntime } from "../environment/python-runtime.js";
import type { PipelineEvent } from "../pipeline/execute.js";
import type { LoadOptions } from "../recipe/load.js";
import type { LaunchFlags } from "./launch.js";

export interface CommandContext {
  signal: AbortSignal;
  emit(event: PipelineEvent): void;
  /** Cache folder of the tool. */
  home: string;
  /** Builds the pinned environment when it is first asked for. */
  python(): Promise<PythonRuntime>;
}

/** Flags of every command that looks at a recipe. */
export interface RecipeFlags {
  artifacts: string;
  registry?: string;
  set: string[];
  offline?: boolean;
  /** Replacements for the embedded base and data; quickstart only. */
  base?: string;
  data?: string;
}

export interface RunFlags extends RecipeFlags, LaunchFlags {
  dryRun?: boolean;
  force?: boolean;
}

/** The whole path. */
export function registryFolder(flags: { artifacts: string; registry?: string }): string {
  return resolve(flags.registry ?? join(flags.artifacts, "registry"));
}

/** A path as the person would type it from here. */
export function displayPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near !== "" && !near.startsWith(`..${sep}..`) && near.length < path.length ? near : path;
}

/** `rerank-tune` where that can be typed, else `npx rerank-tune`. */
export async function programName(variables: NodeJS.ProcessEnv = process.env): Promise<string> {
  const name = process.platform === "win32" ? "rerank-tune.cmd" : "rerank-tune";
  // npm puts node_modules/.bin on the PATH of its scripts only; the person's shell does not have it.
  const folders = (variables.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes("node_modules") && !folder.includes("_npx"));
  for (const folder of folders) {
    const found = await access(join(folder, name), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return "rerank-tune";
  }
  return "npx rerank-tune";
}

/** What the recipe loader wants to know of the command line. */
export function loadOptions(flags: RecipeFlags, context: CommandContext): LoadOptions {
  const { base, data } = flags;
  const builtin = {
    ...(base === undefined ? {} : { base: resolve(base) }),
    ...(data === undefined ? {} : { data: resolve(data) }),
  };
  const { home, signal, emit, python } = context;
  return {
    overrides: flags.set,
    registryDir: registryFolder(flags),
    home,
    offline: flags.offline ?? false,
    builtin,
    signal,
    emit,
    python,
  };
}
