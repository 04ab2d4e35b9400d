// Finds the finished artifacts that belong to one training run, and reads their files only when they are as the manifest says.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { hashFile } from "../../artifacts/hash.js";
import { MANIFEST_FILE, manifestSchema } from "../../artifacts/manifest.js";
import type { Artifact, ArtifactStore } from "../../artifacts/store.js";
import { RerankTuneError } from "../../errors.js";

/** The artifacts of one run by stage name, in the order of the pipeline. `train` is always there. */
export type Chain = Map<string, Artifact>;

/**
 * The newest finished training with what it was made from and what was made of it. Artifacts are joined by the digests in
 * their manifests, so that a verdict on an older training never stands beside a newer one.
 * @returns undefined before the first finished training.
 */
export async function findChain(store: ArtifactStore): Promise<Chain | undefined> {
  const stages = await finishedStages(store);
  const train = newest(stages.get("train") ?? []);
  if (train === undefined) return undefined;
  const verify = newest(
    (stages.get("verify") ?? []).filter(({ manifest }) => manifest.inputs.train === train.manifest.digest),
  );
  const chain: Chain = new Map([["train", train]]);
  if (verify !== undefined) chain.set("verify", verify);
  for (const artifact of [train, verify]) if (artifact !== undefined) addInputs(artifact, stages, chain);
  return new Map([...stages.keys()].flatMap((name) => entryOf(chain, name)));
}

/**
 * The path of a file of an artifact, hashed first.
 * @returns undefined when the artifact was made without this file.
 * @throws RerankTuneError ARTIFACT_CORRUPT when the file is gone or was changed.
 */
export async function checkedFile({ dir, manifest }: Artifact, path: string): Promise<string | undefined> {
  const described = manifest.files.find((file) => file.path === path);
  if (described === undefined) return undefined;
  const file = join(dir, path);
  const found = await hashFile(file).catch(() => undefined);
  if (found === described.sha256) return file;
  throw new RerankTuneError({
    code: "ARTIFACT_CORRUPT",
    message: `${file} ${found === undefined ? "is missing" : "was changed"} after ${manifest.stage} had finished.`,
    hint: "run `rerank-tune run RECIPE`: it makes the artifact again; then ask for the report",
  });
}

/** All finished artifacts by stage name; folders are called `<NN>-<stage>/<key>`. */
async function finishedStages(store: ArtifactStore): Promise<Map<string, Artifact[]>> {
  const found = new Map<string, Artifact[]>();
  for (const folder of (await readdir(store.folder).catch(() => [])).sort()) {
    const stage = /^\d\d-([a-z]+)$/.exec(folder)?.[1];
    if (stage === undefined) continue;
    const names = (await readdir(join(store.folder, folder)).catch(() => [])).filter((name) => !name.includes("."));
    const artifacts = await Promise.all(names.map((name) => readArtifact(join(store.folder, folder, name))));
    found.set(
      stage,
      artifacts.filter((artifact) => artifact !== undefined),
    );
  }
  return found;
}

/** Undefined for a folder without a whole manifest: that stage never finished. */
async function readArtifact(dir: string): Promise<Artifact | undefined> {
  try {
    return { dir, manifest: manifestSchema.parse(JSON.parse(await readFile(join(dir, MANIFEST_FILE), "utf8"))) };
  } catch {
    return undefined;
  }
}

function addInputs({ manifest }: Artifact, stages: Map<string, Artifact[]>, chain: Chain): void {
  for (const [name, digest] of Object.entries(manifest.inputs)) {
    const input = newest((stages.get(name) ?? []).filter((artifact) => artifact.manifest.digest === digest));
    if (input === undefined || chain.has(name)) continue;
    chain.set(name, input);
    addInputs(input, stages, chain);
  }
}

function newest(artifacts: readonly Artifact[]): Artifact | undefined {
  return [...artifacts].sort((left, right) => right.manifest.started.localeCompare(left.manifest.started))[0];
}

function entryOf(chain: Chain, name: string): [string, Artifact][] {
  const artifact = chain.get(name);
  return artifact === undefined ? [] : [[name, artifact]];
}
