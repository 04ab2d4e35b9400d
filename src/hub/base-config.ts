// What a base's small files say against training on it: kind of model, labels, padding, code of its own. Pure.
import { isObject, type JsonObject } from "../artifacts/json-value.js";
import type { Problem } from "../errors.js";
import { codeProblems } from "../model-folder/custom-code.js";

/** What a recipe allows of a base; its `base_model` section. */
export interface BaseAllowances {
  /** `ignore`: a base that names code of its own is taken with transformers' class instead, and its code is never run. */
  custom_code: "refuse" | "ignore";
  /** Whether a head of several labels may be thrown away for a fresh one. */
  replace_head: boolean;
}

/** The small files of a base; undefined where there is none. */
export interface BaseFiles {
  config: JsonObject;
  tokenizer?: JsonObject;
  tokenizerConfig?: JsonObject;
  modules?: unknown;
}

/** Padding id that transformers' configuration class takes where config.json has none; the keys are the types that train knows (base_model.py, SUPPORTED). */
export const PAD_OF_TYPE: Readonly<Record<string, number>> = {
  bert: 0,
  roberta: 1,
  "xlm-roberta": 1,
  modernbert: 50_283,
};

/** Classes whose weights hold an encoder and no head for another task. */
const ENCODER = /(Model|ForMaskedLM|ForPreTraining)$/;
const CLASSIFIER = /ForSequenceClassification$/;
const BASES = "choose a sequence classifier with one label, such as BAAI/bge-reranker-v2-m3, or a plain encoder";

/** Every reason not to train on it, in the order of the files. `file` is relative to the folder. */
export function baseConfigProblems(files: BaseFiles, allowed: BaseAllowances): Problem[] {
  return [
    ...kindProblems(files.config),
    ...(allowed.replace_head ? [] : labelProblems(files.config)),
    ...padProblems(files),
    ...(allowed.custom_code === "ignore" ? [] : codeProblems(files, WITHOUT_CODE)),
  ];
}

function kindProblems(config: JsonObject): Problem[] {
  const { model_type: type } = config;
  const architecture = architectureOf(config);
  if (typeof type !== "string" || PAD_OF_TYPE[type] === undefined) {
    const message = `is a ${architecture ?? "model"} of model_type ${JSON.stringify(type ?? null)}, which is not supported`;
    const hint = `choose a base whose model_type is one of ${Object.keys(PAD_OF_TYPE).join(", ")}`;
    return [{ file: "config.json", path: "model_type", message, hint }];
  }
  if (architecture === undefined || CLASSIFIER.test(architecture) || ENCODER.test(architecture)) return [];
  const message = `is a ${architecture}, neither a sequence classifier nor a plain encoder`;
  return [{ file: "config.json", path: "architectures", message, hint: BASES }];
}

function labelProblems(config: JsonObject): Problem[] {
  if (!CLASSIFIER.test(architectureOf(config) ?? "")) return [];
  const labels = labelCount(config);
  if (labels === 1) return [];
  const message = `has ${labels} labels, and a reranker has one`;
  const hint = `${BASES}; or train a new head on its encoder: \`--set base_model.replace_head=true\``;
  return [{ file: "config.json", path: "id2label", message, hint }];
}

/** As transformers counts: two where a config names none. */
function labelCount({ id2label, num_labels: count }: JsonObject): number {
  if (isObject(id2label)) return Object.keys(id2label).length;
  return typeof count === "number" ? count : 2;
}

function padProblems({ config, tokenizer = {}, tokenizerConfig = {} }: BaseFiles): Problem[] {
  const { pad_token_id: id, vocab_size: size } = config;
  const problem = (message: string, hint: string) => [{ file: "config.json", path: "pad_token_id", message, hint }];
  if (typeof id === "number") {
    if (Number.isSafeInteger(id) && id >= 0 && (typeof size !== "number" || id < size)) return [];
    return problem(`has the pad_token_id ${id}, which is no row of its ${String(size)} embeddings`, CORRECT_PAD);
  }
  const known = padPiece(tokenizer, tokenizerConfig);
  if (known === undefined)
    return problem(
      "has no pad_token_id, and tokenizer.json has no pad token",
      "choose a base that was trained with padding",
    );
  // Then transformers and the worker take this very id by themselves.
  if (known.id === PAD_OF_TYPE[String(config.model_type)]) return [];
  return problem("has no pad_token_id", `add "pad_token_id": ${known.id}, the id of ${known.text} in tokenizer.json`);
}

const CORRECT_PAD = "set it to the id of the pad token in tokenizer.json";

/** The pad token by the tokenizer's own word, else by its usual names. */
function padPiece(tokenizer: JsonObject, { pad_token: said }: JsonObject): { text: string; id: number } | undefined {
  const named = isObject(said) ? said.content : said;
  for (const text of [named, "<pad>", "[PAD]"]) {
    if (typeof text !== "string") continue;
    const id = pieceId(tokenizer, text);
    if (id !== undefined) return { text, id };
  }
  return undefined;
}

function pieceId({ added_tokens: added, model }: JsonObject, text: string): number | undefined {
  const token = Array.isArray(added) ? added.find((entry) => isObject(entry) && entry.content === text) : undefined;
  if (isObject(token) && typeof token.id === "number") return token.id;
  const vocabulary = isObject(model) ? model.vocab : undefined;
  if (isObject(vocabulary) && typeof vocabulary[text] === "number") return vocabulary[text];
  const place = Array.isArray(vocabulary)
    ? vocabulary.findIndex((entry) => Array.isArray(entry) && entry[0] === text)
    : -1;
  return place < 0 ? undefined : place;
}

export const WITHOUT_CODE =
  "choose a base without custom code; or, where transformers has this model itself, take its class instead: `--set base_model.custom_code=ignore`";

function architectureOf({ architectures }: JsonObject): string | undefined {
  const [first] = Array.isArray(architectures) ? architectures : [];
  return typeof first === "string" ? first : undefined;
}
