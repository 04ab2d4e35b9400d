// How many tokens a model can tell the place of. Pure.
import type { JsonObject } from "../artifacts/json-value.js";

/** Families whose positions begin behind the padding id (transformers modeling_xlm_roberta.py and its relatives, `padding_idx + 1`). */
const BEHIND_PADDING = /roberta|camembert|mpnet|longformer/;

/**
 * Rows of the position table that tokens can stand in: 512 of RoBERTa's 514.
 * @param config content of config.json.
 * @returns undefined where the config does not say.
 */
export function tokenPositions(config: JsonObject): number | undefined {
  const { model_type: type, max_position_embeddings: rows, pad_token_id: pad } = config;
  if (typeof rows !== "number") return undefined;
  return BEHIND_PADDING.test(String(type)) ? rows - (typeof pad === "number" ? pad : 1) - 1 : rows;
}
