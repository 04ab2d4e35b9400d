// Rules on what turns the logit into a score: servers take a sigmoid, and sentence-transformers what the folder says.
import { isObject } from "../../artifacts/json-value.js";
import { setMembers, withEdit } from "../edit.js";
import { configOf, type FolderFacts, hasConfig, objectIn } from "../facts.js";
import { labelCount } from "../model-facts.js";
import type { ConsumerName, Rule } from "../rule.js";

const SIGMOID = "torch.nn.modules.activation.Sigmoid";
const LEGACY = "sbert_ce_default_activation_function";
const SENTENCE_TRANSFORMERS: readonly ConsumerName[] = ["sentence-transformers", "sentence-transformers-onnx"];

/** Where sentence-transformers looks, the later name first (cross_encoder/model.py, get_default_activation_fn and _parse_model_config). */
function activation(facts: FolderFacts): unknown {
  const config = configOf(facts);
  const nested = isObject(config.sentence_transformers) ? config.sentence_transformers.activation_fn : undefined;
  // config_sentence_transformers.json is read only beside modules.json.
  const saved = facts.documents.has("modules.json")
    ? objectIn(facts, "config_sentence_transformers.json")?.activation_fn
    : undefined;
  return saved ?? nested ?? config[LEGACY];
}

export const legacyActivation: Rule = {
  id: "legacy_activation",
  severity: "warning",
  about: "The name of the activation before sentence-transformers 4; a later save drops it.",
  source: "sentence-transformers cross_encoder/model.py, get_default_activation_fn (packaging.md §4)",
  consumers: SENTENCE_TRANSFORMERS,
  check: (facts) => {
    const config = configOf(facts);
    const old = config[LEGACY];
    if (typeof old !== "string") return [];
    const nested = isObject(config.sentence_transformers) ? config.sentence_transformers : {};
    const members = { sentence_transformers: { activation_fn: old, ...nested }, [LEGACY]: undefined };
    return [
      {
        file: "config.json",
        message: `has ${LEGACY}`,
        fix: 'write it as "sentence_transformers": {"activation_fn": ...}',
        ...withEdit(setMembers(facts, "config.json", members)),
      },
    ];
  },
};

export const activationMissing: Rule = {
  id: "activation_missing",
  severity: "note",
  about: "A folder that names no activation leaves it to each program whether it shows logits or scores of 0 to 1.",
  source: "sentence-transformers cross_encoder/model.py; FlagEmbedding #503, #108 (onnx.md §6.5)",
  consumers: SENTENCE_TRANSFORMERS,
  check: (facts) => {
    if (!hasConfig(facts) || labelCount(facts) !== 1 || activation(facts) !== undefined) return [];
    const nested = configOf(facts).sentence_transformers;
    const members = { sentence_transformers: { ...(isObject(nested) ? nested : {}), activation_fn: SIGMOID } };
    return [
      {
        file: "config.json",
        message: "names no activation",
        fix: `add "sentence_transformers": {"activation_fn": "${SIGMOID}"}`,
        ...withEdit(setMembers(facts, "config.json", members)),
      },
    ];
  },
};

export const activationIsNot: Rule = {
  id: "activation_not_sigmoid",
  severity: "warning",
  about:
    "With another activation sentence-transformers gives other scores than TEI, Infinity and vLLM, which take a sigmoid.",
  source: "TEI core/src/infer.rs; sentence-transformers cross_encoder/model.py (onnx.md §2, §6.5)",
  consumers: SENTENCE_TRANSFORMERS,
  check: (facts) => {
    const name = activation(facts);
    if (typeof name !== "string" || name.endsWith("Sigmoid")) return [];
    return [
      {
        message: `sentence-transformers applies ${name.split(".").at(-1)}, servers a sigmoid`,
        fix: `name ${SIGMOID} as activation, or compare by order only, never by a threshold`,
      },
    ];
  },
};
