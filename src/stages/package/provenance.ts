// How a package came to be, for rerank-tune.json: recipe, data digests, training, versions, host. No times, no paths, no user text.
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { MANIFEST_FILE, manifestSchema, RECORDS_FOLDER } from "../../artifacts/manifest.js";
import { BASE_FILES_RECORD, type BuildFacts, baseFilesSchema } from "../../evidence/build-records.js";
import type { PackageManifest } from "../../model-folder/layout.js";
import type { ResolvedRecipe, StageInputs, StageName } from "../../pipeline/stage.js";

/** The stages whose records a package sums up. */
export const UPSTREAM = ["prepare", "train", "export", "quantize"] as const satisfies readonly StageName[];
export type Upstream = (typeof UPSTREAM)[number];

/**
 * The part of a recipe that decides the model, and the gates, so that the proof can be repeated wherever the folder lands. File
 * names of the user's data are left out, since they can name a client; digests say which data it was. The card's words are publish's.
 */
export function recipeSlice(recipe: ResolvedRecipe): Record<string, unknown> {
  const { source: _source, run: _run, ...prepare } = recipe.prepare;
  const { path, ...base } = recipe.base_model;
  const { schema, trim, train, export: exporting, quantize, verify } = recipe;
  return {
    schema,
    base_model: { ...base, ...(path === undefined ? {} : { path: basename(path) }) },
    prepare,
    ...(trim === undefined ? {} : { trim: { ...trim, corpus: undefined } }),
    train,
    export: exporting,
    quantize,
    // Named one by one: a path of the user's data must never come along.
    verify: { gates: verify.gates, latency: verify.latency, providers: verify.providers },
  };
}

/** `hub:owner/name@sha` and `builtin:name` as they are; of a local folder the last name alone. */
export function portableIdentity(identity: string): string {
  return /^(hub|builtin):/.test(identity) ? identity : `local:${basename(identity.replace(/^local:/, ""))}`;
}

type Provenance = Pick<
  PackageManifest,
  "data" | "training" | "export" | "quantization" | "versions" | "host" | "rerank_tune"
>;

/** What the stages before said about themselves; their tools are read from the manifests of their artifacts. */
export async function provenance(inputs: StageInputs<Upstream>): Promise<Provenance> {
  const versions: Record<string, string> = {};
  let host = "not recorded";
  let rerank_tune = "not recorded";
  for (const stage of UPSTREAM) {
    const manifest = await upstreamManifest(inputs[stage].dir);
    for (const [tool, version] of Object.entries(manifest?.tools ?? {}))
      if (tool !== "host") versions[`${stage}.${tool}`] = version;
    if (stage === "train" && manifest !== undefined) ({ host, rerank_tune } = manifest);
  }
  const output = (stage: Upstream): Record<string, unknown> => (inputs[stage].output ?? {}) as Record<string, unknown>;
  return {
    data: output("prepare"),
    training: output("train"),
    export: output("export"),
    quantization: output("quantize"),
    versions,
    host,
    rerank_tune,
  };
}

/** What the provenance attestation says of the stages before, with times: a record beside the package, no part of it. */
export async function buildFacts(inputs: StageInputs<Upstream>): Promise<BuildFacts> {
  const stages: BuildFacts["stages"] = [];
  for (const name of UPSTREAM) {
    const manifest = await upstreamManifest(inputs[name].dir);
    if (manifest === undefined) continue;
    const { stage, key, digest, sources, started, seconds } = manifest;
    const { host: _host, ...tools } = manifest.tools;
    stages.push({ stage, key, digest, sources, tools, started, seconds });
  }
  const file = join(inputs.train.dir, RECORDS_FOLDER, BASE_FILES_RECORD);
  const text = await readFile(file, "utf8").catch(() => "[]"); // trained by an older release
  return { stages, base_files: baseFilesSchema.parse(JSON.parse(text)) };
}

/** A stage run by itself has no manifest beside its files. */
async function upstreamManifest(dir: string): Promise<ReturnType<typeof manifestSchema.safeParse>["data"]> {
  const text = await readFile(join(dir, MANIFEST_FILE), "utf8").catch(() => undefined);
  return text === undefined ? undefined : manifestSchema.parse(JSON.parse(text));
}
