// The tokenizer of a model folder that is to be trimmed, refused where its steps are not all known.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { RerankTuneError } from "../errors.js";
import { MODEL_FILES } from "../model-folder/layout.js";
import { ExactTokenizer, type TokenizerJson } from "../tokenization/exact-tokenizer.js";

/** @throws RerankTuneError MODEL_NOT_FOUND, MODEL_UNSUPPORTED. */
export async function readTokenizer(model: string): Promise<TokenizerJson> {
  for (const name of [MODEL_FILES.config, MODEL_FILES.tokenizer])
    if (!existsSync(join(model, name)))
      throw new RerankTuneError({
        code: "MODEL_NOT_FOUND",
        message: `${join(model, name)} is missing.`,
        hint: "give a model folder with config.json, tokenizer.json and model.safetensors",
      });
  try {
    return JSON.parse(await readFile(join(model, MODEL_FILES.tokenizer), "utf8")) as TokenizerJson;
  } catch (cause) {
    throw unsupported(`${join(model, MODEL_FILES.tokenizer)} is not JSON`, "fetch the model again", cause);
  }
}

export function exact(json: TokenizerJson, model: string): ExactTokenizer {
  const tokenizer = ExactTokenizer.from(json);
  if (tokenizer !== undefined) return tokenizer;
  throw unsupported(
    `${join(model, MODEL_FILES.tokenizer)} is no Unigram or WordPiece tokenizer of known steps, and only these can be trimmed`,
    "use the model as it is, or a base such as BAAI/bge-reranker-v2-m3",
  );
}

export function unknownId({ model }: TokenizerJson): number {
  if (model.type === "Unigram") return typeof model.unk_id === "number" ? model.unk_id : -1;
  return (model.vocab as Record<string, number>)[model.unk_token as string] ?? -1;
}

export function pieceCount({ model, added_tokens: added = [] }: TokenizerJson): number {
  const ids = new Set(added.map(({ id }) => id));
  const size = model.type === "Unigram" ? (model.vocab as unknown[]).length : Object.keys(model.vocab as object).length;
  return size + [...ids].filter((id) => id >= size).length;
}

export function unsupported(message: string, hint: string, cause?: unknown): RerankTuneError {
  return new RerankTuneError({
    code: "MODEL_UNSUPPORTED",
    message: `${message}.`,
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}
