// Stage `package`: the complete, frozen folder that consumers open, and its TEI twin whose graph is the int8 one. No card yet.
import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { JsonObject } from "../../artifacts/json-value.js";
import { RECORDS_FOLDER } from "../../artifacts/manifest.js";
import { RerankTuneError } from "../../errors.js";
import { BUILD_RECORD } from "../../evidence/build-records.js";
import { withMembers } from "../../model-folder/json-text.js";
import {
  EXTERNAL_DATA,
  MODEL_FILES,
  type PackageManifest,
  VARIANT_FILES,
  VARIANT_NAMES,
  type VariantName,
} from "../../model-folder/layout.js";
import type { Stage, StageContext, StageInputs } from "../../pipeline/stage.js";
import type { ExportOutput } from "../export/schema.js";
import type { TrainOutput } from "../train/schema.js";
import {
  configChanges,
  EXTERNAL_DATA_KEY,
  hasLeftovers,
  sentenceTransformersFiles,
  specialTokens,
  tokenizerConfig,
} from "./configs.js";
import { describeFiles, variantEntry } from "./describe.js";
import { copyAlone, freeze, placeFile, writeJson, writeText } from "./place.js";
import { buildFacts, portableIdentity, provenance, recipeSlice, UPSTREAM, type Upstream } from "./provenance.js";
import type { PackageOptions, PackageOutput } from "./schema.js";

const MODEL = "model";
const TEI_INT8 = "tei-int8";
/** What TEI reads beside the graph. No safetensors: TEI would fall back to them and hide an int8 graph that does not load (onnx.md §1.1). */
const TEI_FILES = [
  MODEL_FILES.config,
  MODEL_FILES.tokenizer,
  MODEL_FILES.tokenizerConfig,
  MODEL_FILES.specialTokens,
  MODEL_FILES.modules,
  MODEL_FILES.sentenceTransformers,
  MODEL_FILES.sentenceBert,
];

export const packageStage: Stage<PackageOptions, PackageOutput, Upstream> = {
  name: "package",
  version: 2,
  needs: UPSTREAM,
  options: (recipe) => ({
    recipe: recipeSlice(recipe),
    base_identity: portableIdentity(recipe.base_identity),
    max_length: recipe.train.max_length,
  }),
  sources: () => [],
  tools: ({ rerank_tune }) => ({ rerank_tune }),
  run,
};

async function run(
  context: StageContext,
  options: PackageOptions,
  inputs: StageInputs<Upstream>,
): Promise<PackageOutput> {
  const folder = join(context.outDir, MODEL);
  const { train, export: exported, quantize } = inputs;
  const { inputs: graphInputs } = exported.output as ExportOutput;
  context.emit({ type: "phase", name: "write_configs" });
  const externalData = await exists(join(exported.dir, EXTERNAL_DATA));
  await writeConfigs(join(train.dir, "model"), folder, options.max_length, graphInputs, externalData);
  context.emit({ type: "phase", name: "place_weights" });
  await placeFile(join(train.dir, "model", MODEL_FILES.weights), join(folder, MODEL_FILES.weights));
  await placeFile(join(exported.dir, MODEL_FILES.golden), join(folder, MODEL_FILES.golden));
  const variants = await placeGraphs(exported.dir, quantize.dir, folder, externalData);
  context.emit({ type: "phase", name: "hash_files" });
  const files = await describeFiles(folder, context);
  const { model_type } = train.output as TrainOutput;
  const about = {
    recipe: options.recipe,
    base_model: options.base_identity,
    model_type,
    max_length: options.max_length,
  };
  await writeJson(join(folder, MODEL_FILES.manifest), {
    schema: 1,
    ...about,
    ...(await provenance(inputs)),
    variants: variants.map((name) => variantEntry(name, files)),
    files,
  } satisfies PackageManifest);
  await writeJson(join(context.outDir, RECORDS_FOLDER, BUILD_RECORD), await buildFacts(inputs));
  const hasInt8 = variants.includes("int8");
  if (hasInt8) await makeTeiFolder(folder, join(context.outDir, TEI_INT8));
  await freeze(context.outDir);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { model: MODEL, ...(hasInt8 ? { tei_int8: TEI_INT8 } : {}), files: files.length + 1, bytes };
}

async function writeConfigs(
  trained: string,
  folder: string,
  maxLength: number,
  graphInputs: readonly string[],
  externalData: boolean,
): Promise<void> {
  const configText = await readText(join(trained, MODEL_FILES.config));
  const tokenizerText = await readText(join(trained, MODEL_FILES.tokenizer));
  const tokenizer = JSON.parse(tokenizerText) as JsonObject;
  const tokens = JSON.parse(await readText(join(trained, MODEL_FILES.tokenizerConfig))) as JsonObject;
  const changes = configChanges(JSON.parse(configText) as JsonObject, tokenizer, externalData);
  await writeText(join(folder, MODEL_FILES.config), withMembers(configText, changes));
  // The very bytes that training used, unless a caller's truncation or padding was left in them.
  const bare = { truncation: null, padding: null };
  if (hasLeftovers(tokenizer)) await writeText(join(folder, MODEL_FILES.tokenizer), withMembers(tokenizerText, bare));
  else await placeFile(join(trained, MODEL_FILES.tokenizer), join(folder, MODEL_FILES.tokenizer));
  await writeJson(
    join(folder, MODEL_FILES.tokenizerConfig),
    tokenizerConfig(tokens, tokenizer, maxLength, graphInputs),
  );
  await writeJson(join(folder, MODEL_FILES.specialTokens), specialTokens(tokens));
  const files = sentenceTransformersFiles(maxLength);
  for (const name of ["modules", "sentenceTransformers", "sentenceBert"] as const)
    await writeJson(join(folder, MODEL_FILES[name]), files[name]);
}

/** @returns the variants there are; a recipe may leave int8 or fp16 out. */
async function placeGraphs(
  exported: string,
  quantized: string,
  folder: string,
  externalData: boolean,
): Promise<VariantName[]> {
  await placeFile(join(exported, VARIANT_FILES.fp32), join(folder, VARIANT_FILES.fp32));
  if (externalData) await copyAlone(join(exported, EXTERNAL_DATA), join(folder, EXTERNAL_DATA));
  const found: VariantName[] = ["fp32"];
  for (const name of VARIANT_NAMES) {
    const source = join(quantized, VARIANT_FILES[name]);
    if (name === "fp32" || !(await exists(source))) continue;
    await placeFile(source, join(folder, VARIANT_FILES[name]));
    found.push(name);
  }
  return found;
}

async function makeTeiFolder(model: string, tei: string): Promise<void> {
  for (const file of TEI_FILES) {
    if (file !== MODEL_FILES.config) await placeFile(join(model, file), join(tei, file));
  }
  // The int8 graph is one file, whatever the fp32 graph is.
  const config = await readText(join(model, MODEL_FILES.config));
  await writeText(join(tei, MODEL_FILES.config), withMembers(config, { [EXTERNAL_DATA_KEY]: undefined }));
  await placeFile(join(model, VARIANT_FILES.int8), join(tei, VARIANT_FILES.fp32));
}

async function readText(path: string): Promise<string> {
  return await readFile(path, "utf8").catch((error) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new RerankTuneError({
      code: "MODEL_NOT_FOUND",
      message: `The trained model has no ${basename(path)} (${path}).`,
      hint: "train again: `rerank-tune train RECIPE --force`",
    });
  });
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}
