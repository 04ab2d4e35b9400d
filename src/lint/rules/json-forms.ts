// Rules on the form of small JSON files: valid, and with values of the types that strict parsers want.
import { isObject } from "../../artifacts/json-value.js";
import { setMembers, withEdit } from "../edit.js";
import { configOf, isWhole } from "../facts.js";
import { READERS, type Rule, TEI, TORCH } from "../rule.js";

const isText = (value: unknown): boolean => typeof value === "string";
const isCount = (value: unknown): boolean => isWhole(value) && value >= 0;
const mapOf = (is: (value: unknown) => boolean) => (value: unknown) =>
  isObject(value) && Object.values(value).every(is);

/** Fields of config.json as TEI's Rust declares them; null and absent are both fine. */
const TYPES: Record<string, [is: (value: unknown) => boolean, what: string]> = {
  id2label: [mapOf(isText), "texts by number"],
  label2id: [mapOf(isCount), "numbers by text"],
  auto_map: [mapOf(isText), "texts by name"],
  pad_token_id: [isCount, "a number of 0 or more"],
  max_position_embeddings: [isCount, "a number of 0 or more"],
};

export const configTypes: Rule = {
  id: "config_types",
  severity: "error",
  about:
    "TEI parses config.json strictly: a list in auto_map, a number as label or a padding id of -1, and it does not start.",
  source: 'TEI router/src/lib.rs, ModelConfig: "Failed to parse `config.json`"',
  consumers: TEI,
  check: (facts) => {
    const config = configOf(facts);
    const wrong = Object.entries(TYPES).filter(([name, [is]]) => (config[name] ?? null) !== null && !is(config[name]));
    if (wrong.length === 0) return [];
    const said = wrong.map(([name, [, what]]) => `${name}, which must be ${what}`).join("; ");
    return [
      {
        file: "config.json",
        message: `has another type for ${said}`,
        fix: "write it as TEI wants it, or take it out where nobody needs it",
      },
    ];
  },
};

export const promptsNotTexts: Rule = {
  id: "prompts_not_texts",
  severity: "error",
  about: "TEI parses `prompts` as texts by name, or does not start.",
  source: "TEI router/src/lib.rs, NewSTConfig (onnx.md §1.1)",
  consumers: TEI,
  check: (facts) => {
    const file = "config_sentence_transformers.json";
    const document = facts.documents.get(file);
    if (document === undefined || !("value" in document) || !isObject(document.value)) return [];
    const { prompts } = document.value;
    if (prompts === undefined || prompts === null) return [];
    if (isObject(prompts) && Object.values(prompts).every((prompt) => typeof prompt === "string")) return [];
    const texts = isObject(prompts) ? Object.entries(prompts).filter(([, prompt]) => typeof prompt === "string") : [];
    return [
      {
        file,
        message: "has prompts that are not texts by name",
        fix: "keep those that are texts, or write {}",
        ...withEdit(setMembers(facts, file, { prompts: Object.fromEntries(texts) })),
      },
    ];
  },
};

/** A JSON file that each of these opens. */
const JSON_READERS: Record<string, Rule["consumers"]> = {
  "tokenizer_config.json": [
    "tei-ort",
    "sentence-transformers",
    "sentence-transformers-onnx",
    "transformers.js",
    "infinity",
    "vllm",
  ],
  "special_tokens_map.json": ["sentence-transformers", "sentence-transformers-onnx", "infinity", "vllm"],
  "modules.json": ["sentence-transformers", "sentence-transformers-onnx"],
  "config_sentence_transformers.json": [...TEI, "sentence-transformers", "sentence-transformers-onnx"],
  "sentence_bert_config.json": [...TEI, "sentence-transformers", "sentence-transformers-onnx"],
  "model.safetensors.index.json": TORCH,
};

export const jsonBroken: Rule = {
  id: "json_broken",
  severity: "error",
  about: "A file that is no JSON stops everyone who opens it.",
  source: "RFC 8259; every consumer's own parser",
  consumers: READERS,
  check: (facts) =>
    [...facts.documents].flatMap(([file, document]) => {
      const consumers = JSON_READERS[file];
      const isBroken = "problem" in document || (file !== "modules.json" && !isObject(document.value));
      if (!isBroken || file === "rerank-tune.json") return [];
      const message = "problem" in document ? "is no valid JSON" : "is no JSON object";
      return [
        {
          file,
          message,
          fix: "write it again with the program that made it",
          ...(consumers === undefined ? {} : { consumers }),
        },
      ];
    }),
};
