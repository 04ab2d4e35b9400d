// A model folder with a smaller vocabulary: trims tokenizer and table, and proves that every text is cut as before.
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { jsonOf } from "../artifacts/json-value.js";
import { fromFileSystemError, interrupted, RerankTuneError } from "../errors.js";
import { MODEL_FILES } from "../model-folder/layout.js";
import { lostLetters } from "./coverage.js";
import { writeSmallFiles } from "./folder.js";
import { pieceCount, readTokenizer, unsupported } from "./open-tokenizer.js";
import { type TrimReport, trimReportSchema } from "./schema.js";
import { type TrimmedVocabulary, trimVocabulary, type VocabularyOptions } from "./vocabulary.js";
import { trimFiles, type WeightsFiles, weightsFiles } from "./weights-files.js";

export type { TrimReport, UnseenReport } from "./schema.js";
export type { Texts } from "./vocabulary.js";

/** In the new folder: numbers and names of scripts, no text. */
const REPORT_FILE = "trim.json";

export interface TrimOptions extends VocabularyOptions {
  /** Model folder with model.safetensors, or shards and their index. */
  model: string;
  /** Folder to make; must not exist. */
  out: string;
}

/**
 * @throws RerankTuneError MODEL_NOT_FOUND, MODEL_UNSUPPORTED; DATA_NOT_FOUND, DATA_INVALID; USAGE; NOT_WRITABLE, DISK_FULL; INTERRUPTED.
 */
export async function trimModel(options: TrimOptions): Promise<TrimReport> {
  const { model, out } = options;
  refuseExisting(out);
  const json = await readTokenizer(model);
  const weights = await weightsFiles(model);
  const trimmed = await trimVocabulary(json, model, options);
  const { texts, tokens, unseen, trimming } = trimmed;
  return await writeFolder(options, trimmed, weights, {
    pieces: { before: pieceCount(json), after: trimmed.kept.length },
    texts,
    tokens,
    languages: [...options.languages],
    letters: lostLetters(trimming),
    unseen,
  });
}

/**
 * The report in a folder that `trimModel` made.
 * @returns undefined for any other folder.
 */
export async function readTrimReport(folder: string): Promise<TrimReport | undefined> {
  const text = await readFile(join(folder, REPORT_FILE), "utf8").catch(() => undefined);
  return text === undefined ? undefined : trimReportSchema.safeParse(jsonOf(text)).data;
}

/** Made beside its place and renamed when whole. */
async function writeFolder(
  { model, out, emit, signal }: TrimOptions,
  { json, kept }: TrimmedVocabulary,
  files: WeightsFiles,
  vocabulary: Omit<TrimReport, "weights" | "left_out">,
): Promise<TrimReport> {
  const partial = `${out}.partial`;
  emit({ type: "phase", name: "write weights" });
  const beat = (): void => {
    if (signal.aborted) throw interrupted(signal);
  };
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(dirname(out), { recursive: true });
    await mkdir(partial);
    const rows = await tableRows(model);
    const isTrimmed = (name: string, count: number) => isTable(name) && count === rows;
    const { tables, bytes } = await trimFiles(files, { source: model, target: partial }, kept, isTrimmed, beat);
    if (tables.length === 0)
      throw unsupported(`the weights of ${model} have no embedding table of ${rows} rows`, "use the model as it is");
    await writeFile(join(partial, MODEL_FILES.tokenizer), `${JSON.stringify(json)}\n`);
    const report = { ...vocabulary, weights: bytes, left_out: await writeSmallFiles(model, partial, kept) };
    await writeFile(join(partial, REPORT_FILE), `${JSON.stringify(report, null, 2)}\n`);
    await rename(partial, out);
    return report;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error instanceof RerankTuneError ? error : (fromFileSystemError(error, out) ?? error);
  }
}

/** Embedding tables, and the output layer of a language model that some bases still carry. */
function isTable(name: string): boolean {
  return /(?:word_embeddings|tok_embeddings|embed_tokens|decoder|lm_head)\.(?:weight|bias)$|predictions\.bias$/.test(
    name,
  );
}

async function tableRows(model: string): Promise<number> {
  const config = JSON.parse(await readFile(join(model, MODEL_FILES.config), "utf8")) as { vocab_size?: number };
  if (typeof config.vocab_size === "number") return config.vocab_size;
  throw unsupported(`${join(model, MODEL_FILES.config)} has no vocab_size`, "use another base");
}

function refuseExisting(out: string): void {
  if (existsSync(out))
    throw new RerankTuneError({
      code: "USAGE",
      message: `${out} exists.`,
      hint: "name a folder that does not exist with --out",
    });
}
