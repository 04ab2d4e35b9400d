// What follows from the facts in more than one rule: kind of model, labels of its head, sizes of its tables, and how many tokens it takes. Pure.
import { isObject, type JsonObject } from "../artifacts/json-value.js";
import {
  configOf,
  type FolderFacts,
  isWhole,
  LENGTH_FILES,
  objectIn,
  tokenizerConfigOf,
  tokenizerOf,
} from "./facts.js";
import type { TensorFacts } from "./safetensors-header.js";

export const modelType = (facts: FolderFacts): string => String(configOf(facts).model_type ?? "");

/** Types whose position ids begin behind the padding id (TEI router/src/lib.rs, position_offset). */
const OFFSET_TYPES = ["xlm-roberta", "roberta", "camembert"];
/** Types with rotary positions: no table that ends. */
const ROTARY_TYPES = ["modernbert", "new", "gte", "nomic_bert"];
/** Decoders that rank by a prompt and the words yes and no. */
const DECODER = /^(qwen|llama|gemma|mistral|mixtral|phi|gpt|minicpm|glm|granite|smollm)/;

export const isDecoder = (facts: FolderFacts): boolean => DECODER.test(modelType(facts));
export const hasPositionOffset = (facts: FolderFacts): boolean => OFFSET_TYPES.includes(modelType(facts));
export const hasPositionTable = (facts: FolderFacts): boolean =>
  !ROTARY_TYPES.includes(modelType(facts)) && !isDecoder(facts);

/** Architectures of config.json, empty when it has none. */
export function architectures(facts: FolderFacts): string[] {
  const { architectures: names } = configOf(facts);
  return Array.isArray(names) ? names.map(String) : [];
}

/** Rows of the position table, as config.json says. */
export function positionRows(facts: FolderFacts): number | undefined {
  const { max_position_embeddings: rows, n_positions: older } = configOf(facts);
  return [rows, older].find(isWhole);
}

/** Tokens that the model can tell the place of. RoBERTa's 514 rows are 512 tokens, XLM-R-large's 8194 are 8192. */
export function positions(facts: FolderFacts): number | undefined {
  const rows = positionRows(facts);
  if (rows === undefined || !hasPositionOffset(facts)) return rows;
  const { pad_token_id: pad } = configOf(facts);
  return rows - ((isWhole(pad) ? pad : 1) + 1);
}

/** All tensors of the weights that transformers opens: model.safetensors, else the shards. */
export function tensorsOf(facts: FolderFacts): Map<string, TensorFacts> {
  const single = facts.weights.find(({ file }) => file === "model.safetensors");
  const opened = single === undefined ? facts.weights : [single];
  return new Map(opened.flatMap(({ tensors }) => [...tensors]));
}

/** Whether all of the weights are there and their headers were read. */
export function hasTensors(facts: FolderFacts): boolean {
  const { weight_map: map } = objectIn(facts, "model.safetensors.index.json") ?? {};
  const shards = isObject(map) && !facts.files.has("model.safetensors") ? Object.values(map).map(String) : [];
  if (shards.some((file) => !facts.files.has(file))) return false;
  return facts.weights.length > 0 && facts.weights.every(({ tensors }) => tensors.size > 0);
}

/** The last layer of a head by the names that transformers saves: RoBERTa's, BERT's, a decoder's. */
const HEADS = ["classifier.out_proj.weight", "classifier.weight", "score.weight"];

/** Rows of the head's last layer, which are its labels; undefined when there is no head. */
export function headRows(facts: FolderFacts): number | undefined {
  const tensors = tensorsOf(facts);
  return HEADS.map((name) => tensors.get(name)?.shape[0]).find((rows) => rows !== undefined);
}

export const hasHead = (facts: FolderFacts): boolean => headRows(facts) !== undefined;

/** The table of token vectors: its name and shape. */
export function wordTable(facts: FolderFacts): { name: string; rows: number; width: number } | undefined {
  for (const [name, { shape }] of tensorsOf(facts))
    if (/(word_embeddings|tok_embeddings|embed_tokens)\.weight$/.test(name) && shape.length === 2)
      return { name, rows: shape[0] ?? 0, width: shape[1] ?? 0 };
  return undefined;
}

/** Rows of the table of positions in the weights. */
export function positionTableRows(facts: FolderFacts): number | undefined {
  return [...tensorsOf(facts)].find(([name]) => name.endsWith("position_embeddings.weight"))?.[1].shape[0];
}

/** Layers that the weights name. */
export function layerCount(facts: FolderFacts): number | undefined {
  const numbers = [...tensorsOf(facts).keys()].flatMap((name) => /(?:layer|layers)\.(\d+)\./.exec(name)?.[1] ?? []);
  return numbers.length === 0 ? undefined : Math.max(...numbers.map(Number)) + 1;
}

/** Labels that config.json names; undefined when it names none. */
export function labelCount(facts: FolderFacts): number | undefined {
  const { id2label } = configOf(facts);
  return isObject(id2label) ? Object.keys(id2label).length : undefined;
}

/** The file that TEI takes the length from, and the length when it is in it. */
export function lengthFile(facts: FolderFacts): { file: string; length: number | undefined } | undefined {
  const file = LENGTH_FILES.find((name) => facts.documents.has(name));
  if (file === undefined) return undefined;
  const { max_seq_length: length } = objectIn(facts, file) ?? {};
  return { file, length: isWhole(length) && length >= 0 ? length : undefined };
}

/** transformers' own word for "no limit" is about 1e30. */
const NO_LIMIT = 1_000_000;

/** model_max_length when it is a limit. */
export function tokenizerLimit(facts: FolderFacts): number | undefined {
  const { model_max_length: limit } = tokenizerConfigOf(facts);
  return typeof limit === "number" && limit > 0 && limit < NO_LIMIT ? limit : undefined;
}

/** Tokens that a pair should be cut to: what the folder was trained with when it says so, and never more than its positions. */
export function soundLength(facts: FolderFacts): number | undefined {
  const { max_length: made } = objectIn(facts, "rerank-tune.json") ?? {};
  const said = [isWhole(made) ? made : undefined, lengthFile(facts)?.length, tokenizerLimit(facts), positions(facts)];
  const limits = said.filter((limit): limit is number => limit !== undefined && limit > 0);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/** Whether sentence-transformers builds the model from modules.json with more than a transformer in it. */
export function extraModules(facts: FolderFacts): string[] {
  const document = facts.documents.get("modules.json");
  const modules = document !== undefined && "value" in document && Array.isArray(document.value) ? document.value : [];
  return modules
    .map((module) => (isObject(module) ? String(module.type ?? "") : "").split(".").at(-1) ?? "")
    .filter((kind) => kind !== "Transformer" && kind !== "");
}

const KNOWN_IDS = new WeakMap<JsonObject, Map<string, number>>();

/** Ids of tokens by their text: the vocabulary and what was added to it. Kept, because a vocabulary may have 250,002. */
export function tokenIds(facts: FolderFacts): Map<string, number> {
  const tokenizer = tokenizerOf(facts);
  const known = KNOWN_IDS.get(tokenizer) ?? idsIn(tokenizer);
  KNOWN_IDS.set(tokenizer, known);
  return known;
}

function idsIn({ model, added_tokens: added }: JsonObject): Map<string, number> {
  const ids = new Map<string, number>();
  const vocabulary = isObject(model) ? model.vocab : undefined;
  // Unigram has a list of [piece, score], the others an object of piece to id.
  if (Array.isArray(vocabulary)) for (const [id, entry] of vocabulary.entries()) ids.set(String(entry?.[0]), id);
  else if (isObject(vocabulary)) for (const [piece, id] of Object.entries(vocabulary)) ids.set(piece, Number(id));
  for (const token of Array.isArray(added) ? added : [])
    if (isObject(token)) ids.set(String(token.content), Number(token.id));
  return ids;
}

/** Id of the padding token: as tokenizer_config.json names it, else by its usual names. */
export function padId(facts: FolderFacts): number | undefined {
  const { pad_token: named } = tokenizerConfigOf(facts);
  const text = isObject(named) ? named.content : named;
  const ids = tokenIds(facts);
  return [text, "[PAD]", "<pad>", "<|pad|>"].map((token) => ids.get(String(token))).find((id) => id !== undefined);
}
