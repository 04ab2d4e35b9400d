// What a run would do, without doing it.
import { join } from "node:path";
import { DigestMemory } from "../artifacts/digests.js";
import { ArtifactStore } from "../artifacts/store.js";
import { type DecideContext, decide } from "./decide.js";
import type { FinishedStages, ResolvedRecipe, Stage, StageName, ToolVersions } from "./stage.js";
import { stagesUpTo } from "./stages.js";

export interface PlannedStage {
  name: StageName;
  status: "cached" | "run" | "blocked";
  reason: string;
  /** Seconds the cached run took. */
  seconds?: number;
}
export interface Plan {
  stages: PlannedStage[];
}

export interface PlanOptions {
  recipe: ResolvedRecipe;
  /** The artifacts folder. */
  root: string;
  /** Last stage of interest. */
  target: StageName;
  versions: ToolVersions;
  force?: boolean;
  /** The stages to walk; tests put their own here. */
  stages?: readonly Stage[];
}

/** For every stage up to the target: cached, to run or blocked, and why. Writes nothing but the memory of digests. */
export async function planPipeline(options: PlanOptions): Promise<Plan> {
  const context = decideContext(options);
  const inputs: FinishedStages = {};
  const planned: PlannedStage[] = [];
  for (const stage of stagesUpTo(options.target, options.stages)) {
    const waiting = stage.needs.filter((name) => inputs[name] === undefined);
    const blocker = planned.find(({ name, status }) => status === "blocked" && waiting.includes(name));
    if (blocker !== undefined) planned.push({ name: stage.name, status: "blocked", reason: `needs ${blocker.name}` });
    else if (waiting.length > 0)
      planned.push({ name: stage.name, status: "run", reason: `after ${waiting.join(", ")}` });
    else {
      const { status, reason, artifact } = await decide(stage, inputs, context);
      planned.push({
        name: stage.name,
        status,
        reason,
        ...(artifact === undefined ? {} : { seconds: artifact.manifest.seconds }),
      });
      if (artifact !== undefined)
        inputs[stage.name] = { dir: artifact.dir, output: artifact.manifest.output, digest: artifact.manifest.digest };
    }
  }
  await context.digests.save();
  return { stages: planned };
}

export function decideContext(options: PlanOptions): DecideContext {
  return {
    recipe: options.recipe,
    store: new ArtifactStore(options.root, options.recipe.name),
    digests: new DigestMemory(join(options.root, ".digests.json")),
    versions: options.versions,
    ...(options.force === undefined ? {} : { force: options.force }),
  };
}
