// Walks the stages: takes what the store has, runs the rest, and stops at the first failure with everything finished kept.
import { join } from "node:path";
import type { DigestMemory } from "../artifacts/digests.js";
import { acquireLock } from "../artifacts/lock.js";
import type { Artifact, ArtifactStore } from "../artifacts/store.js";
import type { PythonRuntime } from "../environment/python-runtime.js";
import { fromFileSystemError, interrupted, RerankTuneError } from "../errors.js";
import type { StageEvent } from "../events.js";
import { type Decision, decide } from "./decide.js";
import { decideContext, type PlanOptions } from "./plan.js";
import type { FinishedStages, Stage, StageInputs, StageName } from "./stage.js";
import { stagesUpTo } from "./stages.js";

export type PipelineEvent =
  | StageEvent
  | { type: "stage"; name: StageName; status: StageResult["status"] | "running"; reason: string; seconds?: number };

export interface StageResult {
  name: StageName;
  status: "cached" | "done" | "failed" | "stopped" | "skipped";
  reason: string;
  seconds: number;
}

export interface PipelineResult {
  stages: StageResult[];
  outputs: Partial<Record<StageName, unknown>>;
  /** Artifact folders. */
  dirs: Partial<Record<StageName, string>>;
}

export interface ExecuteOptions extends PlanOptions {
  python(): Promise<PythonRuntime>;
  signal: AbortSignal;
  emit(event: PipelineEvent): void;
}

/**
 * Brings the pipeline as far as `target`.
 * @throws RerankTuneError of the stage that failed, with the PipelineResult so far as `data`; FOLDER_IN_USE.
 * A stage that finished but whose result must not pass (a failed gate) is thrown after all others ran.
 */
export async function executePipeline(options: ExecuteOptions): Promise<PipelineResult> {
  const context = decideContext(options);
  const release = await acquireLock(join(context.store.folder, ".lock"));
  const walk = new Walk(options, context.store, context.digests);
  try {
    for (const stage of stagesUpTo(options.target, options.stages))
      await walk.step(stage, await decide(stage, walk.inputs, context));
    walk.throwFailure();
    return walk.result;
  } catch (error) {
    throw walk.explain(error);
  } finally {
    await context.digests.save().catch(() => undefined); // a lost memory costs time only
    await release();
  }
}

/** State of one walk over the stages. */
class Walk {
  readonly result: PipelineResult = { stages: [], outputs: {}, dirs: {} };
  readonly inputs: FinishedStages = {};
  private failure: RerankTuneError | undefined;

  constructor(
    private readonly options: ExecuteOptions,
    private readonly store: ArtifactStore,
    readonly digests: DigestMemory,
  ) {}

  async step(stage: Stage, decision: Decision): Promise<void> {
    if (this.options.signal.aborted) throw interrupted(this.options.signal);
    if (decision.status === "blocked") throw blocked(stage, decision);
    const started = performance.now();
    if (decision.reason.startsWith("its artifact is damaged"))
      this.options.emit({ type: "warning", message: `${stage.name}: ${decision.reason}; it runs again` });
    const artifact = decision.artifact ?? (await this.run(stage, decision));
    const status = decision.artifact === undefined ? "done" : "cached";
    this.record(stage, { name: stage.name, status, reason: decision.reason, seconds: seconds(started) });
    const { output, digest } = artifact.manifest;
    this.inputs[stage.name] = { dir: artifact.dir, output, digest };
    this.result.outputs[stage.name] = output;
    this.result.dirs[stage.name] = artifact.dir;
    this.failure ??= stage.failure?.(output, this.options.recipe);
  }

  /** Throws what a finished stage held against its own result. */
  throwFailure(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  /** Attaches what was finished to the error, so that nothing is lost. */
  explain(error: unknown): unknown {
    const known = error instanceof RerankTuneError ? error : fromFileSystemError(error, this.store.folder);
    if (known === undefined) return error;
    const { code, message, hint, problems } = known;
    return new RerankTuneError({ code, message, hint, problems, data: this.result, cause: known.cause ?? known });
  }

  private async run(stage: Stage, decision: Decision): Promise<Artifact> {
    const { options } = this;
    options.emit({ type: "stage", name: stage.name, status: "running", reason: decision.reason });
    const started = performance.now();
    const startedAt = new Date();
    const { dir, resuming } = await this.store.begin(decision.stageFolder, decision.key, stage.resumable === true);
    try {
      const context = {
        outDir: dir,
        resuming,
        signal: options.signal,
        emit: options.emit,
        python: options.python,
        now: () => new Date(),
      };
      const output = await stage.run(context, decision.options, inputsOf(stage, this.inputs));
      const { versions } = options;
      return await this.store.commit(dir, {
        schema: 1,
        ...decision.parts,
        key: decision.key,
        output,
        started: startedAt.toISOString(),
        seconds: seconds(started),
        host: versions.host,
        rerank_tune: versions.rerank_tune,
      });
    } catch (error) {
      const status = options.signal.aborted ? "stopped" : "failed";
      this.record(stage, { name: stage.name, status, reason: decision.reason, seconds: seconds(started) });
      if (stage.resumable !== true) await this.store.discard(dir);
      throw error;
    }
  }

  private record(stage: Stage, result: StageResult): void {
    this.result.stages.push(result);
    this.options.emit({
      type: "stage",
      name: stage.name,
      status: result.status,
      reason: result.reason,
      seconds: result.seconds,
    });
  }
}

/** The plan lets a stage run only after those it needs, so a gap is a fault of ours. */
function inputsOf(stage: Stage, finished: FinishedStages): StageInputs {
  const absent = stage.needs.filter((name) => finished[name] === undefined);
  if (absent.length === 0) return finished as StageInputs;
  throw new RerankTuneError({
    code: "INTERNAL",
    message: `${stage.name} was started without the result of ${absent.join(" and ")}.`,
    hint: "run `rerank-tune run RECIPE`, which brings all stages in order",
  });
}

function seconds(since: number): number {
  return Math.round((performance.now() - since) / 10) / 100;
}

function blocked(stage: Stage, decision: Decision): RerankTuneError {
  const code = stage.name === "prepare" ? "DATA_NOT_FOUND" : "MODEL_NOT_FOUND";
  return new RerankTuneError({
    code,
    message: `${stage.name} cannot start: ${decision.reason}.`,
    hint: "correct the path in the recipe, or override it with --set",
  });
}
