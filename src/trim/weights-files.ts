// The weights of a model folder, one file or shards with an index: all trimmed in turn, under their old names.
import { existsSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { jsonOf } from "../artifacts/json-value.js";
import { RerankTuneError } from "../errors.js";
import { MODEL_FILES } from "../model-folder/layout.js";
import { SHARD_NAME, shardNames } from "../model-folder/weight-names.js";
import { unsupported } from "./open-tokenizer.js";
import { trimWeights } from "./weights.js";

/** `model.safetensors.index.json`: which file holds each tensor. */
interface WeightsIndex {
  metadata?: Record<string, unknown>;
  weight_map: Record<string, string>;
}

export interface WeightsFiles {
  names: string[];
  /** Where the weights are shards. */
  index?: WeightsIndex;
}

/**
 * What transformers opens: the single file, else the shards of the index.
 * @throws RerankTuneError MODEL_NOT_FOUND for a file that is missing; MODEL_UNSUPPORTED for an index that is none.
 */
export async function weightsFiles(model: string): Promise<WeightsFiles> {
  if (existsSync(join(model, MODEL_FILES.weights))) return { names: [MODEL_FILES.weights] };
  const path = join(model, MODEL_FILES.weightsIndex);
  if (!existsSync(path)) throw missing(join(model, MODEL_FILES.weights));
  const index = jsonOf(await readFile(path, "utf8")) as WeightsIndex | undefined;
  const names = shardNames(index) ?? [];
  // A name with a folder in it could lie anywhere.
  if (index === undefined || names.length === 0 || !names.every((name) => SHARD_NAME.test(name)))
    throw unsupported(`${path} does not name the files of the weights`, "fetch the model again");
  const absent = names.find((name) => !existsSync(join(model, name)));
  if (absent !== undefined) throw missing(join(model, absent));
  return { names, index };
}

export interface TrimmedFiles {
  /** Tensors that lost rows. */
  tables: string[];
  bytes: { before: number; after: number };
}

/**
 * @param isTable which tensors lose rows, by name and rows.
 * @param kept rows that stay, ascending.
 * @param beat called between tensors; may throw.
 * @throws RerankTuneError MODEL_UNSUPPORTED for a damaged file, by its name.
 */
export async function trimFiles(
  { names, index }: WeightsFiles,
  folders: { source: string; target: string },
  kept: readonly number[],
  isTable: (name: string, rows: number) => boolean,
  beat: () => void,
): Promise<TrimmedFiles> {
  const tables: string[] = [];
  const bytes = { before: 0, after: 0 };
  const total = { total_size: 0, total_parameters: 0 };
  for (const name of names) {
    const source = join(folders.source, name);
    const what = { kept, isTable, beat };
    const trimmed = await trimWeights(source, join(folders.target, name), what).catch((error) => named(source, error));
    tables.push(...trimmed.tables);
    bytes.before += (await stat(source)).size;
    bytes.after += trimmed.bytes;
    total.total_size += trimmed.tensorBytes;
    total.total_parameters += trimmed.parameters;
  }
  if (index !== undefined) await writeIndex(join(folders.target, MODEL_FILES.weightsIndex), index, total);
  return { tables, bytes };
}

/** The totals that were there, with their new values; transformers 4 writes no `total_parameters`. */
async function writeIndex(path: string, index: WeightsIndex, total: Record<string, number>): Promise<void> {
  const changed = Object.fromEntries(
    Object.entries(index.metadata ?? {}).map(([name, value]) => [name, total[name] ?? value]),
  );
  await writeFile(path, `${JSON.stringify({ ...index, metadata: changed }, null, 2)}\n`);
}

/** What is wrong with the header of a file says nothing of its name. */
function named(path: string, error: Error): never {
  const isNamed = error instanceof RerankTuneError || (error as NodeJS.ErrnoException).code !== undefined;
  throw isNamed ? error : unsupported(`${path}: ${error.message}`, "fetch the model again", error);
}

function missing(path: string): RerankTuneError {
  return new RerankTuneError({
    code: "MODEL_NOT_FOUND",
    message: `${path} is missing.`,
    hint: "give a model folder with config.json, tokenizer.json and model.safetensors, or all shards of its index",
  });
}
