// A model folder with a smaller vocabulary: reads the texts, trims tokenizer and table, and proves that every text is cut as before.
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fromFileSystemError, interrupted, RerankTuneError } from "../errors.js";
import { MODEL_FILES } from "../model-folder/layout.js";
import type { StageEvent } from "../pipeline/stage.js";
import type { ExactTokenizer } from "../tokenization/exact-tokenizer.js";
import { type Keep, type TrimmedTokenizer, trimTokenizer } from "../tokenization/trim.js";
import { lostLetters, type ScriptCoverage } from "./coverage.js";
import { writeSmallFiles } from "./folder.js";
import { exact, pieceCount, readTokenizer, unknownId, unsupported } from "./open-tokenizer.js";
import { textsOf } from "./texts.js";
import { trimWeights } from "./weights.js";

export interface TrimOptions {
  /** Model folder with one model.safetensors. */
  model: string;
  /** Files of texts; every text of production should be like one of them. */
  corpus: readonly string[];
  /** Folder to make; must not exist. */
  out: string;
  keep: Keep;
  signal: AbortSignal;
  emit(event: StageEvent): void;
}

export interface TrimReport {
  pieces: { before: number; after: number };
  /** Bytes of model.safetensors. */
  weights: { before: number; after: number };
  /** Texts whose ids are the old ones, renumbered: all of them. */
  texts: number;
  tokens: number;
  /** Letters by script that are unknown now. */
  letters: ScriptCoverage[];
  /** Files of the old vocabulary that the new folder does without. */
  left_out: string[];
}

/** Texts between two looks at Ctrl-C and two signs of life. */
const PACE = 2000;

/**
 * @throws RerankTuneError MODEL_NOT_FOUND, MODEL_UNSUPPORTED; DATA_NOT_FOUND, DATA_INVALID; NOT_WRITABLE, DISK_FULL; INTERRUPTED.
 */
export async function trimModel(options: TrimOptions): Promise<TrimReport> {
  const { model, out, keep, emit } = options;
  refuseExisting(out);
  const json = await readTokenizer(model);
  const before = exact(json, model);
  emit({ type: "phase", name: "read corpus" });
  const used = new Set<number>();
  const count = await eachText(options, (text) => before.touch(text, used));
  if (count === 0) throw nothingToRead();
  const trimmed = trimTokenizer(json, used, keep);
  const after = exact(trimmed.json, model);
  emit({ type: "phase", name: "prove ids" });
  const tokens = await proveIdentity(options, before, after, trimmed.kept, count);
  const written = await writeFolder(options, trimmed);
  return {
    pieces: { before: pieceCount(json), after: trimmed.kept.length },
    weights: written.weights,
    texts: count,
    tokens,
    letters: lostLetters(before, after, { before: unknownId(json), after: unknownId(trimmed.json) }),
    left_out: written.leftOut,
  };
}

/** @param total texts that there are, where that is known. */
async function eachText(
  { corpus, signal, emit }: TrimOptions,
  use: (text: string) => void,
  total?: number,
): Promise<number> {
  let count = 0;
  for await (const text of textsOf(corpus)) {
    use(text);
    count += 1;
    if (count % PACE !== 0) continue;
    if (signal.aborted) throw interrupted(signal);
    if (total !== undefined) emit({ type: "progress", completed: count, total, unit: "texts" });
  }
  return count;
}

/** @returns tokens of all texts. */
async function proveIdentity(
  options: TrimOptions,
  before: ExactTokenizer,
  after: ExactTokenizer,
  kept: readonly number[],
  total: number,
): Promise<number> {
  let tokens = 0;
  let differing = 0;
  await eachText(
    options,
    (text) => {
      const [old, found] = [before.encode(text), after.encode(text)];
      tokens += found.length;
      if (old.length !== found.length || found.some((id, index) => kept[id] !== old[index])) differing += 1;
    },
    total,
  );
  if (differing === 0) return tokens;
  throw new RerankTuneError({
    code: "MODEL_UNSUPPORTED",
    message: `${differing} texts would be cut into other pieces by the trimmed tokenizer.`,
    hint: "use the model as it is, and report its tokenizer.json",
  });
}

/** Made beside its place and renamed when whole. */
async function writeFolder({ model, out, emit }: TrimOptions, { json, kept }: TrimmedTokenizer) {
  const partial = `${out}.partial`;
  const source = join(model, MODEL_FILES.weights);
  emit({ type: "phase", name: "write weights" });
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(dirname(out), { recursive: true });
    await mkdir(partial);
    const rows = await tableRows(model);
    const { tables, bytes } = await trimWeights(
      source,
      join(partial, MODEL_FILES.weights),
      kept,
      (name, count) => isTable(name) && count === rows,
    );
    if (tables.length === 0)
      throw unsupported(`${source} has no embedding table of ${rows} rows`, "use the model as it is");
    await writeFile(join(partial, MODEL_FILES.tokenizer), `${JSON.stringify(json)}\n`);
    const leftOut = await writeSmallFiles(model, partial, kept);
    await rename(partial, out);
    return { weights: { before: (await stat(source)).size, after: bytes }, leftOut };
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error instanceof RerankTuneError
      ? error
      : (fromFileSystemError(error, out) ??
          unsupported(`${source}: ${(error as Error).message}`, "fetch the model again"));
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

function nothingToRead(): RerankTuneError {
  return new RerankTuneError({
    code: "DATA_INVALID",
    message: "The corpus holds no text.",
    hint: "give files of texts like those of production with --corpus",
  });
}
