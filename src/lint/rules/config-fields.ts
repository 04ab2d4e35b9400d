// Rules on single fields of config.json that a consumer cannot do without, most of which the weights know too.
import { setMembers, withEdit } from "../edit.js";
import { configOf, type FolderFacts, hasConfig } from "../facts.js";
import { layerCount, padId, positionRows, positionTableRows, wordTable } from "../model-facts.js";
import { type Found, type Rule, TEI } from "../rule.js";

const lacks = (facts: FolderFacts, ...names: string[]): boolean =>
  hasConfig(facts) && names.every((name) => (configOf(facts)[name] ?? null) === null);

/** What transformers takes when a field is missing (configuration_bert.py and its kin): no word, and another shape. */
const DEFAULTS: Record<string, readonly number[]> = {
  hidden_size: [768],
  num_hidden_layers: [12],
  max_position_embeddings: [512, 514],
};

/** A missing field, with the value that the weights give for it; where transformers' default is another, it goes wrong there too. */
function missingField(
  facts: FolderFacts,
  name: string,
  value: number | undefined,
  also: Rule["consumers"] = [],
): Found[] {
  const differs = value !== undefined && DEFAULTS[name]?.includes(value) === false;
  const fix = value === undefined ? `add it, as the base's config.json has it` : `add "${name}": ${value}`;
  const edit = value === undefined ? undefined : setMembers(facts, "config.json", { [name]: value });
  const consumers = differs ? [...TEI, ...also, "sentence-transformers" as const, "vllm" as const] : undefined;
  return [
    {
      file: "config.json",
      message: `has no ${name}`,
      fix,
      ...(consumers === undefined ? {} : { consumers }),
      ...withEdit(edit),
    },
  ];
}

export const hiddenSizeMissing: Rule = {
  id: "hidden_size_missing",
  severity: "error",
  about: "TEI parses hidden_size before anything else; transformers takes its own default without a word.",
  source: "TEI backends/ort/src/lib.rs, Config (onnx.md §1.1)",
  consumers: TEI,
  check: (facts) =>
    lacks(facts, "hidden_size", "n_embd") ? missingField(facts, "hidden_size", wordTable(facts)?.width) : [],
};

export const layersMissing: Rule = {
  id: "num_hidden_layers_missing",
  severity: "error",
  about: "TEI parses num_hidden_layers before anything else; transformers takes its own default without a word.",
  source: "TEI backends/ort/src/lib.rs, Config (onnx.md §1.1)",
  consumers: TEI,
  check: (facts) =>
    lacks(facts, "num_hidden_layers", "n_layer") ? missingField(facts, "num_hidden_layers", layerCount(facts)) : [],
};

export const positionsMissing: Rule = {
  id: "max_position_embeddings_missing",
  severity: "error",
  about: "TEI takes the longest input from max_position_embeddings, and Infinity cuts there.",
  source: "TEI router/src/lib.rs; Infinity crossencoder/optimum.py (onnx.md §1.1)",
  consumers: [...TEI, "infinity"],
  check: (facts) =>
    positionRows(facts) === undefined && lacks(facts, "max_trained_positions")
      ? missingField(facts, "max_position_embeddings", positionTableRows(facts), ["infinity"])
      : [],
};

export const padTokenIdMissing: Rule = {
  id: "pad_token_id_missing",
  severity: "error",
  about: "The padding id fills short rows of a batch and, for RoBERTa, says where positions begin.",
  source: "TEI backends/candle/src/models/bert.rs, BertConfig; router/src/lib.rs, position_offset (onnx.md §1.1)",
  consumers: ["tei-candle"],
  check: (facts) => (lacks(facts, "pad_token_id") ? missingField(facts, "pad_token_id", padId(facts)) : []),
};

/** The rest of what candle's BERT parses without a default, for the kinds that it reads as BERT. */
const BERT_FIELDS = [
  "num_attention_heads",
  "intermediate_size",
  "hidden_act",
  "type_vocab_size",
  "initializer_range",
  "layer_norm_eps",
  "hidden_dropout_prob",
];

export const bertFieldsMissing: Rule = {
  id: "bert_fields_missing",
  severity: "error",
  about: "TEI on GPU parses every one of BERT's settings and has no default for them.",
  source: "TEI backends/candle/src/models/bert.rs, BertConfig",
  consumers: ["tei-candle"],
  check: (facts) => {
    const { model_type: type } = configOf(facts);
    if (!["bert", "roberta", "xlm-roberta", "camembert"].includes(String(type))) return [];
    const missing = BERT_FIELDS.filter((name) => lacks(facts, name));
    if (missing.length === 0) return [];
    return [
      {
        file: "config.json",
        message: `has no ${missing.join(", ")}`,
        fix: "add them as the base's config.json has them",
      },
    ];
  },
};
