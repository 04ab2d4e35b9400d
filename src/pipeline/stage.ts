// The contract that all seven stages implement. A stage sees only what is passed here, so any of them runs alone in a test.
import type { PythonRuntime } from "../environment/python-runtime.js";
import type { RerankTuneError } from "../errors.js";
import type { StageEvent } from "../events.js";
import type { BaseLicense } from "../hub/base-license.js";
import type { Recipe } from "../recipe/schema.js";

export const STAGE_NAMES = ["prepare", "train", "export", "quantize", "package", "verify", "publish"] as const;
export type StageName = (typeof STAGE_NAMES)[number];

/** Everything a running stage may touch besides its options and inputs. */
export interface StageContext {
  /** Folder to write into. It is renamed into place only after `run` returned. */
  outDir: string;
  /** True when `outDir` holds the partial work of an interrupted run with the same key (kept for `train` alone). */
  resuming: boolean;
  signal: AbortSignal;
  emit(event: StageEvent): void;
  /** Builds the pinned Python environment when it is not there yet. */
  python(): Promise<PythonRuntime>;
  /** Wall clock, injectable for tests. */
  now(): Date;
}

/** A finished upstream stage. */
export interface StageInput {
  /** Its artifact folder; read-only by convention. */
  dir: string;
  /** The JSON its `run` returned. */
  output: unknown;
  /** Content digest of the artifact (sha256 hex). */
  digest: string;
}
/** What a stage gets: every stage it needs, finished. */
export type StageInputs<Needs extends StageName = StageName> = Record<Needs, StageInput>;
/** What is there so far, while the pipeline runs. */
export type FinishedStages = Partial<Record<StageName, StageInput>>;

/** A file or folder outside the workspace whose content decides the result. */
export interface Source {
  /** Name in messages and in the key, e.g. `prepare.source`. */
  name: string;
  /** Absolute path; a folder counts with all its files. */
  path: string;
}

/** Versions that can change a result; a stage picks the ones that matter to it. */
export interface ToolVersions {
  rerank_tune: string;
  node: string;
  onnxruntime_node: string;
  tokenizers_js: string;
  /** sha256 of the Python lock file. */
  python_lock: string;
  /** CPU model, cores and instruction sets of this machine. */
  host: string;
}

/**
 * One room of the pipeline.
 * `Options` is the only slice of the recipe it may see; `Output` must survive JSON; `Needs` are the stages it reads.
 */
export interface Stage<Options = unknown, Output = unknown, Needs extends StageName = StageName> {
  name: StageName;
  /** Raise it when the meaning of the output changes: every cached artifact of the stage then runs again. */
  version: number;
  needs: readonly Needs[];
  /** Slice of the completed recipe; enters the cache key. */
  options(recipe: ResolvedRecipe): Options;
  /** Outside files whose digests enter the key. Missing ones block the stage. */
  sources(options: Options, recipe: ResolvedRecipe): Source[];
  tools(versions: ToolVersions): Record<string, string>;
  run(context: StageContext, options: Options, inputs: StageInputs<Needs>): Promise<Output>;
  /** For results that live outside the workspace (a registry): why the cached result no longer holds, or undefined. */
  stale?(options: Options, output: Output): Promise<string | undefined>;
  /** What a finished output itself holds against passing, such as a failed gate that the recipe does not allow; thrown after the other stages ran. */
  failure?(output: Output, recipe: ResolvedRecipe): RerankTuneError | undefined;
  /** Keep the partial folder after an interruption and offer it again (`resuming`). */
  resumable?: boolean;
}

/** A recipe after defaults, overrides and the resolution of paths and base model; see `recipe/`. */
export type ResolvedRecipe = Recipe & {
  /** Folder that holds the base model's files. */
  base_dir: string;
  /** Where the base came from: a local path, `builtin:<name>`, or `hub:<repo>@<sha>`. */
  base_identity: string;
  /** The licence that the base's own card names. */
  base_license?: BaseLicense;
  /** Folder of the registry to publish to. */
  registry_dir: string;
};
