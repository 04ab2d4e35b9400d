// Rules on what config.json says the model is: a sequence classifier with its head where consumers look for it.
import { setMembers, withEdit } from "../edit.js";
import { type FolderFacts, hasConfig } from "../facts.js";
import { architectures, extraModules, hasHead, headRows, isDecoder, modelType } from "../model-facts.js";
import { READERS, type Rule, TEI } from "../rule.js";

/** transformers' class names, by model_type (models/auto/modeling_auto.py). */
export const CLASSES: Record<string, string> = {
  albert: "AlbertForSequenceClassification",
  bert: "BertForSequenceClassification",
  camembert: "CamembertForSequenceClassification",
  "deberta-v2": "DebertaV2ForSequenceClassification",
  distilbert: "DistilBertForSequenceClassification",
  electra: "ElectraForSequenceClassification",
  modernbert: "ModernBertForSequenceClassification",
  mpnet: "MPNetForSequenceClassification",
  roberta: "RobertaForSequenceClassification",
  "xlm-roberta": "XLMRobertaForSequenceClassification",
};

/** Mechanical where the weights have the head that the name claims. */
function nameFix(facts: FolderFacts): { fix: string; edit?: ReturnType<typeof setMembers> } {
  const name = CLASSES[modelType(facts)];
  if (name === undefined || headRows(facts) !== 1)
    return { fix: 'set it to the model\'s class, such as ["XLMRobertaForSequenceClassification"]' };
  return { fix: `set it to ["${name}"]`, ...withEdit(setMembers(facts, "config.json", { architectures: [name] })) };
}

const found = (fix: ReturnType<typeof nameFix>) => ({ fix: fix.fix, ...withEdit(fix.edit) });

export const configMissing: Rule = {
  id: "config_missing",
  severity: "error",
  about: "config.json says what the model is; nobody opens a folder without it.",
  source: "TEI router/src/lib.rs; transformers.js configs.js (onnx.md §1.1)",
  consumers: READERS,
  check: (facts) =>
    facts.files.has("config.json")
      ? []
      : [{ file: "config.json", message: "is missing", fix: "copy it from the base model, or save the model again" }],
};

export const architectureMissing: Rule = {
  id: "architecture_missing",
  severity: "error",
  about: "TEI and vLLM choose the kind of model by `architectures`; without it they do not start.",
  source: "TEI router/src/lib.rs, ModelConfig.architectures (onnx.md §1.1)",
  consumers: [...TEI, "vllm"],
  check: (facts) =>
    hasConfig(facts) && architectures(facts).length === 0
      ? [{ file: "config.json", message: "names no architecture", ...found(nameFix(facts)) }]
      : [],
};

export const notASequenceClassifier: Rule = {
  id: "not_a_sequence_classifier",
  severity: "error",
  about:
    "A reranker is a *ForSequenceClassification; another model gives vectors, or gets a fresh head with random scores.",
  source:
    "TEI router/src/lib.rs, get_backend_model_type; sentence-transformers cross_encoder/model.py (onnx.md §1.1, §6.6)",
  consumers: ["tei-ort", "tei-candle", "sentence-transformers", "vllm"],
  check: (facts) => {
    const names = architectures(facts);
    if (names.length === 0 || names.some((name) => name.endsWith("ForSequenceClassification"))) return [];
    if (isDecoder(facts) && names.some((name) => name.endsWith("ForCausalLM"))) return []; // decoder_template says more
    // sentence-transformers looks at the weights, and builds modular heads from modules.json.
    const builds = hasHead(facts) || extraModules(facts).length > 0;
    const consumers = notASequenceClassifier.consumers.filter((name) => name !== "sentence-transformers" || !builds);
    return [
      {
        file: "config.json",
        message: `has the architecture ${names[0]}`,
        takenFor: "embedder",
        consumers,
        ...found(nameFix(facts)),
      },
    ];
  },
};

export const decoderTemplate: Rule = {
  id: "decoder_template",
  severity: "error",
  about:
    "Decoders that answer yes or no to a prompt are no sequence classifiers; only sentence-transformers 6 scores with their words.",
  source: "sentence-transformers cross_encoder/model.py, _load_default_modules; TEI candle models/*.rs",
  consumers: ["tei-ort", "tei-candle", "sentence-transformers-onnx", "transformers.js", "infinity", "vllm"],
  check: (facts) => {
    const [name] = architectures(facts);
    if (!isDecoder(facts) || !name?.endsWith("ForCausalLM")) return [];
    return [
      {
        file: "config.json",
        message: `is a decoder (${name}) that ranks by a prompt`,
        fix: "choose an encoder, or convert it to a *ForSequenceClassification with one label (vLLM does so by --hf-overrides)",
        takenFor: "generator",
      },
    ];
  },
};

export const modularHead: Rule = {
  id: "modular_head",
  severity: "error",
  about: "A head of sentence-transformers' own modules (Pooling, Dense) is built by sentence-transformers alone.",
  source: "TEI PR #867, open; sentence-transformers base/model.py (onnx.md §1.1)",
  consumers: [...TEI, "infinity", "vllm"],
  check: (facts) => {
    const kinds = extraModules(facts);
    if (kinds.length === 0 || hasHead(facts)) return [];
    return [
      {
        file: "modules.json",
        message: `builds the head of ${kinds.join(" and ")}`,
        fix: "train a *ForSequenceClassification instead, such as with `rerank-tune run RECIPE`",
        takenFor: "embedder",
      },
    ];
  },
};
