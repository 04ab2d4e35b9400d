// The small files of a model folder with the ids of a trimmed tokenizer. Changes numbers that are ids; all other text stays.
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withMembers } from "../model-folder/json-text.js";
import { MODEL_FILES } from "../model-folder/layout.js";

/** Copied where they are there: what else a reranker's folder says of itself. */
const COPIED = [
  MODEL_FILES.modules,
  MODEL_FILES.sentenceTransformers,
  MODEL_FILES.sentenceBert,
  MODEL_FILES.specialTokens,
  "LICENSE",
  "LICENSE.txt",
];

/** Other forms of the old vocabulary, which readers would prefer or rebuild the tokenizer from. */
export const LEFT_OUT = ["sentencepiece.bpe.model", "spiece.model", "tokenizer.model", "vocab.txt"];

export function trimmedConfig(text: string, kept: readonly number[]): string {
  const config = JSON.parse(text) as Record<string, unknown>;
  const newIds = new Map(kept.map((old, id) => [old, id]));
  const ids = Object.entries(config).filter(([key]) => key.endsWith("_token_id"));
  const changed = ids.flatMap(([key, id]) => (typeof id === "number" ? [[key, newIds.get(id)] as const] : []));
  return withMembers(text, { ...Object.fromEntries(changed), vocab_size: kept.length });
}

/** `added_tokens_decoder` has ids for keys. */
export function trimmedTokenizerConfig(text: string, kept: readonly number[]): string {
  const { added_tokens_decoder: decoder } = JSON.parse(text) as { added_tokens_decoder?: Record<string, unknown> };
  if (decoder === undefined) return text;
  const entries = Object.entries(decoder).map(([id, token]) => [String(kept.indexOf(Number(id))), token] as const);
  return withMembers(text, { added_tokens_decoder: Object.fromEntries(entries.filter(([id]) => id !== "-1")) });
}

/** @returns names of files of `source` that `target` does not have, because they hold the old vocabulary. */
export async function writeSmallFiles(source: string, target: string, kept: readonly number[]): Promise<string[]> {
  const present = new Set(await readdir(source));
  const config = await readFile(join(source, MODEL_FILES.config), "utf8");
  await writeFile(join(target, MODEL_FILES.config), trimmedConfig(config, kept));
  if (present.has(MODEL_FILES.tokenizerConfig)) {
    const text = await readFile(join(source, MODEL_FILES.tokenizerConfig), "utf8");
    await writeFile(join(target, MODEL_FILES.tokenizerConfig), trimmedTokenizerConfig(text, kept));
  }
  for (const name of COPIED) if (present.has(name)) await copyFile(join(source, name), join(target, name));
  return LEFT_OUT.filter((name) => present.has(name));
}
