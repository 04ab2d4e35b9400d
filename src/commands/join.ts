// What `run` and `train` do on every machine but the first: prepare the same data, take part in the training, keep nothing but its log.
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { RECORDS_FOLDER } from "../artifacts/manifest.js";
import type { Launch } from "../environment/python-runtime.js";
import { toolVersions } from "../environment/versions.js";
import { RerankTuneError } from "../errors.js";
import { executePipeline } from "../pipeline/execute.js";
import { loadRecipe } from "../recipe/load.js";
import { train } from "../stages/train/index.js";
import { guardSets, trainJob } from "../stages/train/job.js";
import { TRIMMED_BASE, trimmedBase } from "../stages/train/trimmed-base.js";
import type { Renderable } from "../ui/output.js";
import { joinJob } from "../worker/join-job.js";
import { PROTOCOL_VERSION } from "../worker/protocol.js";
import { type CommandContext, displayPath, loadOptions, type RunFlags } from "./context.js";

/** `data` of the command on such a machine. */
export interface JoinData {
  node: number;
  nodes: number;
  /** Folder of worker.log. */
  records: string;
}

/**
 * @param launch with `nodeRank` above 0.
 * @throws RerankTuneError of loading the recipe, of the prepare stage, and of `joinJob`.
 */
export async function joinTraining(
  path: string,
  launch: Launch,
  flags: RunFlags,
  context: CommandContext,
): Promise<Renderable> {
  const { signal, emit, python } = context;
  const recipe = await loadRecipe(path, loadOptions(flags, context));
  const root = resolve(flags.artifacts);
  const versions = await toolVersions();
  const prepared = await executePipeline({ recipe, root, target: "prepare", versions, python, signal, emit });
  const dataset = requireDataset(prepared.dirs.prepare);
  const work = join(root, recipe.name, `node-${launch.nodeRank}`);
  const recordsDir = join(work, RECORDS_FOLDER);
  const options = train.options(recipe);
  const guards = await guardSets(dataset);
  // This folder is that of all runs of the recipe: a base that another one trimmed may be of other options.
  await rm(join(work, TRIMMED_BASE), { recursive: true, force: true });
  const trimmed = await trimmedBase({ outDir: work, signal, emit }, options, dataset, guards);
  const job = trainJob(options, dataset, guards, trimmed?.dir);
  const { nodeRank, nodes, rendezvous } = launch;
  emit({ type: "note", message: `takes part in training as machine ${nodeRank} of ${nodes}, led by ${rendezvous}` });
  await joinJob({
    runtime: await python(),
    launch,
    job: { v: PROTOCOL_VERSION, id: job.kind, out_dir: work, ...job },
    recordsDir,
    signal,
  });
  const data: JoinData = { node: nodeRank, nodes, records: recordsDir };
  return {
    data,
    essential: recordsDir,
    text: () =>
      `machine ${nodeRank} of ${nodes} is done; the results are on machine 0\nlog        ${displayPath(recordsDir)}`,
  };
}

function requireDataset(folder: string | undefined): string {
  if (folder !== undefined) return folder;
  throw new RerankTuneError({
    code: "INTERNAL",
    message: "prepare ended without a folder.",
    hint: "run `rerank-tune prepare RECIPE` to see what it does",
  });
}
