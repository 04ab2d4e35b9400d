// Rules on the kind of model: what code a consumer has for it, and under which names that code wants its settings.
import { configOf, hasConfig } from "../facts.js";
import { architectures, isDecoder, modelType } from "../model-facts.js";
import { READERS, type Rule } from "../rule.js";

/** Model types whose head TEI's candle backend has (backends/candle/src/models/*.rs, commit 0d124dc). */
const CANDLE = ["bert", "camembert", "deberta-v2", "distilbert", "gte", "modernbert", "new", "roberta", "xlm-roberta"];

export const modelTypeMissing: Rule = {
  id: "model_type_missing",
  severity: "error",
  about: "`model_type` chooses the code that reads the rest.",
  source: "TEI backends/candle/src/lib.rs, Config; transformers AutoConfig",
  consumers: READERS,
  check: (facts) =>
    hasConfig(facts) && modelType(facts) === ""
      ? [{ file: "config.json", message: "names no model_type", fix: 'set it, such as "xlm-roberta" or "bert"' }]
      : [],
};

export const candleType: Rule = {
  id: "model_type_unknown_to_candle",
  severity: "error",
  about: "TEI on GPU has its own code for each kind of model, and a head for nine of them.",
  source: 'TEI backends/candle/src/lib.rs, Config, and models/*.rs: "`classifier` model type is not supported"',
  consumers: ["tei-candle"],
  check: (facts) => {
    const type = modelType(facts);
    if (type === "" || CANDLE.includes(type)) return [];
    return [{ file: "config.json", message: `is of type ${type}`, fix: "serve its ONNX graph with TEI's CPU image" }];
  },
};

/** transformers.js' sequence classifiers (src/models/registry.js, MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES, 4.3.1). */
const TRANSFORMERS_JS = new Set(
  "bert eurobert neobert modernbert roformer electra esm convbert camembert deberta deberta-v2 mpnet albert distilbert roberta xlm xlm-roberta bart mbart mobilebert squeezebert".split(
    " ",
  ),
);

export const transformersJsType: Rule = {
  id: "model_type_unknown_to_transformers_js",
  severity: "error",
  about: "transformers.js chooses its class by model_type and has a list of them.",
  source: 'transformers.js src/models/registry.js: "Unsupported model type"; run with 4.3.1',
  consumers: ["transformers.js"],
  check: (facts) => {
    const type = modelType(facts);
    const isGenerator = isDecoder(facts) && architectures(facts)[0]?.endsWith("ForCausalLM"); // decoder_template says more
    if (type === "" || TRANSFORMERS_JS.has(type) || isGenerator) return [];
    return [
      { file: "config.json", message: `is of type ${type}`, fix: "open its ONNX graph with onnxruntime instead" },
    ];
  },
};

/** Architectures with a class of vLLM's own (model_executor/models/registry.py, _CROSS_ENCODER_MODELS). */
const VLLM = /^(Bert|GteNew|ModernBert|Roberta|XLMRoberta|LlamaBidirectional)ForSequenceClassification$/;

export const vllmArchitecture: Rule = {
  id: "architecture_unknown_to_vllm",
  severity: "warning",
  about: "vLLM has cross-encoder classes for a few architectures; others may run by its adapters or not at all.",
  source: "vllm/model_executor/models/registry.py, _CROSS_ENCODER_MODELS",
  consumers: ["vllm"],
  check: (facts) => {
    const [name] = architectures(facts);
    if (name === undefined || !name.endsWith("ForSequenceClassification") || VLLM.test(name)) return [];
    return [
      {
        file: "config.json",
        message: `has ${name}, no cross-encoder of vLLM's`,
        fix: "try it in vLLM before you rely on it",
        unread: true,
      },
    ];
  },
};

export const positionEmbedding: Rule = {
  id: "position_embedding_not_absolute",
  severity: "error",
  about: "TEI's BERT on GPU knows absolute positions only.",
  source: 'TEI backends/candle/src/models/bert.rs: "Bert only supports absolute position embeddings"',
  consumers: ["tei-candle"],
  check: (facts) => {
    const { position_embedding_type: kind } = configOf(facts);
    if (kind === undefined || kind === null || kind === "absolute") return [];
    return [
      {
        file: "config.json",
        message: `has position_embedding_type ${JSON.stringify(kind)}`,
        fix: "serve its ONNX graph with TEI's CPU image",
      },
    ];
  },
};

export const modernBertNames: Rule = {
  id: "modernbert_names",
  severity: "error",
  about: "transformers 5 saves ModernBERT's settings under new names; TEI on GPU wants the old ones.",
  source: "TEI backends/candle/src/models/modernbert.rs, ModernBertConfig",
  consumers: ["tei-candle"],
  check: (facts) => {
    if (modelType(facts) !== "modernbert") return [];
    const config = configOf(facts);
    const missing = ["global_attn_every_n_layers", "global_rope_theta", "local_rope_theta"].filter(
      (name) => !(name in config),
    );
    if (missing.length === 0) return [];
    return [
      {
        file: "config.json",
        message: `lacks ${missing.join(", ")}`,
        fix: "add them from the base's config.json; packages of rerank-tune have both",
      },
    ];
  },
};
