// Whether a stage can be taken from the store or has to run, and why; shared by the plan and by the run, so that they never disagree.
import type { DigestMemory } from "../artifacts/digests.js";
import type { Artifact, ArtifactStore } from "../artifacts/store.js";
import { explainChange, type KeyParts, portableOptions, stageKey } from "./key.js";
import { type FinishedStages, type ResolvedRecipe, STAGE_NAMES, type Stage, type ToolVersions } from "./stage.js";

export interface Decision {
  status: "cached" | "run" | "blocked";
  reason: string;
  stageFolder: string;
  options: unknown;
  parts: KeyParts;
  key: string;
  artifact?: Artifact;
}

export interface DecideContext {
  recipe: ResolvedRecipe;
  store: ArtifactStore;
  digests: DigestMemory;
  versions: ToolVersions;
  force?: boolean;
}

/** Decides one stage whose needed stages are all in `inputs`. */
export async function decide(stage: Stage, inputs: FinishedStages, context: DecideContext): Promise<Decision> {
  const { recipe, store, digests } = context;
  const stageFolder = store.stageFolder(STAGE_NAMES.indexOf(stage.name), stage.name);
  const options = stage.options(recipe);
  const sources = stage.sources(options, recipe);
  const digested: Record<string, string> = {};
  const missing: string[] = [];
  for (const source of sources) {
    const digest = await digests.digest(source.path);
    if (digest === undefined) missing.push(`${source.name}: ${source.path} does not exist`);
    else digested[source.name] = digest;
  }
  const parts: KeyParts = {
    stage: stage.name,
    version: stage.version,
    options: portableOptions(options, sources),
    inputs: Object.fromEntries(stage.needs.map((name) => [name, inputs[name]?.digest ?? ""])),
    sources: digested,
    tools: stage.tools(context.versions),
  };
  const decision = { stageFolder, options, parts, key: stageKey(parts) };
  if (missing.length > 0) return { ...decision, status: "blocked", reason: missing.join("; ") };
  if (context.force === true) return { ...decision, status: "run", reason: "forced" };
  return { ...decision, ...(await lookUp(stage, decision, store)) };
}

type Basis = Pick<Decision, "stageFolder" | "options" | "parts" | "key">;

async function lookUp(
  stage: Stage,
  basis: Basis,
  store: ArtifactStore,
): Promise<Pick<Decision, "status" | "reason" | "artifact">> {
  const { artifact, corrupt } = await store.find(basis.stageFolder, basis.key);
  if (corrupt !== undefined) return { status: "run", reason: `its artifact is damaged: ${corrupt}` };
  if (artifact === undefined)
    return { status: "run", reason: explainChange(await store.latest(basis.stageFolder), basis.parts) };
  const stale = await stage.stale?.(basis.options, artifact.manifest.output);
  if (stale !== undefined) return { status: "run", reason: stale };
  return { status: "cached", reason: "unchanged", artifact };
}
