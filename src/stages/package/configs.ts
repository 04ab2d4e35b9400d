// The small JSON files of a package: what transformers, transformers.js and TEI need to read in them (onnx.md §1.1-1.2). Pure.
import { isObject, type JsonObject } from "../../artifacts/json-value.js";
import { RerankTuneError } from "../../errors.js";

/** Sigmoid maps the logit to the score that every consumer shows; sentence-transformers finds it under this name. */
export const ACTIVATION = "torch.nn.modules.activation.Sigmoid";

/** Where transformers.js looks for weights outside the graph. */
export const EXTERNAL_DATA_KEY = "transformers.js_config";

/**
 * What changes in the trained model's config.json: one label, a padding id, and where transformers.js finds weights outside the
 * graph. TEI takes a model for a reranker when an architecture ends in `Classification` and there is exactly one label.
 * @returns members to set; undefined removes one.
 * @throws RerankTuneError MODEL_UNSUPPORTED when it is no classifier.
 */
export function configChanges(trained: JsonObject, tokenizer: JsonObject, externalData: boolean): JsonObject {
  const architectures = Array.isArray(trained.architectures) ? trained.architectures : [];
  if (!architectures.some((name) => String(name).endsWith("ForSequenceClassification")))
    throw new RerankTuneError({
      code: "MODEL_UNSUPPORTED",
      message: `The trained model's architecture is ${JSON.stringify(trained.architectures)}, not a *ForSequenceClassification.`,
      hint: "train again: `rerank-tune train RECIPE --force`",
    });
  return {
    _name_or_path: undefined, // a path of the training machine
    id2label: { "0": "LABEL_0" },
    label2id: { LABEL_0: 0 },
    pad_token_id: trained.pad_token_id ?? tokenId(tokenizer, "[PAD]") ?? tokenId(tokenizer, "<pad>") ?? 0,
    sentence_transformers: { activation_fn: ACTIVATION },
    // The full file name as key: the base name would also ask for model_fp16.onnx_data (onnx.md §1.1).
    [EXTERNAL_DATA_KEY]: externalData ? { use_external_data_format: { "model.onnx": 1 } } : undefined,
    ...olderNames(trained),
  };
}

/**
 * ModernBERT's settings under the names of transformers 4 too: transformers 5 saves `rope_parameters` and `layer_types`, and TEI
 * requires the old ones (backends/candle/src/models/modernbert.rs, ModernBertConfig). A pattern of layers that
 * "every n-th is global" cannot say gets no old names.
 */
function olderNames(trained: JsonObject): JsonObject {
  const { rope_parameters: rope, layer_types: layers } = trained;
  if (trained.model_type !== "modernbert" || !isObject(rope) || !Array.isArray(layers)) return {};
  const second = layers.indexOf("full_attention", 1);
  const every = second === -1 ? layers.length : second;
  if (layers.some((kind, index) => (kind === "full_attention") !== (index % every === 0))) return {};
  const theta = (kind: string) => (isObject(rope[kind]) ? rope[kind].rope_theta : undefined);
  return {
    global_attn_every_n_layers: every,
    global_rope_theta: theta("full_attention"),
    local_rope_theta: theta("sliding_attention"),
  };
}

const SPECIAL_TOKENS = [
  "bos_token",
  "eos_token",
  "unk_token",
  "sep_token",
  "pad_token",
  "cls_token",
  "mask_token",
] as const;

/**
 * tokenizer_config.json, made anew from what is known, so that nothing of the training machine stays in it.
 *
 * transformers 5 rebuilds a named tokenizer class instead of reading tokenizer.json and then gives other ids (for XLM-R on 3 of
 * 9 probes), so the class is the generic one. BERT keeps its own, because transformers.js sends token types for it alone; its
 * rebuilt normalizer is given the values of tokenizer.json.
 */
export function tokenizerConfig(
  trained: JsonObject,
  tokenizer: JsonObject,
  maxLength: number,
  inputs: readonly string[],
): JsonObject {
  const normalizer = isObject(tokenizer.normalizer) ? tokenizer.normalizer : {};
  const isBert =
    inputs.includes("token_type_ids") &&
    normalizer.type === "BertNormalizer" &&
    isObject(tokenizer.model) &&
    tokenizer.model.type === "WordPiece";
  const rebuilt = {
    do_lower_case: normalizer.lowercase ?? true,
    strip_accents: normalizer.strip_accents ?? null,
    tokenize_chinese_chars: normalizer.handle_chinese_chars ?? true,
  };
  return {
    tokenizer_class: isBert ? "BertTokenizer" : "PreTrainedTokenizerFast",
    model_max_length: maxLength,
    model_input_names: ["input_ids", "token_type_ids", "attention_mask"].filter((name) => inputs.includes(name)),
    padding_side: "right",
    truncation_side: "right",
    clean_up_tokenization_spaces: false,
    ...(isBert ? rebuilt : {}),
    ...specialTokens(trained),
  };
}

/** special_tokens_map.json, which older readers look for. */
export function specialTokens(trained: JsonObject): Record<string, string> {
  const found = SPECIAL_TOKENS.map((name) => [name, tokenText(trained[name])] as const);
  return Object.fromEntries(
    found.filter((entry): entry is [(typeof SPECIAL_TOKENS)[number], string] => entry[1] !== undefined),
  );
}

/** Whether tokenizer.json holds truncation or padding that an earlier call left in it; both belong to the caller. */
export function hasLeftovers(tokenizer: JsonObject): boolean {
  return (tokenizer.truncation ?? null) !== null || (tokenizer.padding ?? null) !== null;
}

/** The three files by which sentence-transformers 6.0.1 knows a CrossEncoder, in its own words, and `max_seq_length`, without which TEI does not start. */
export function sentenceTransformersFiles(
  maxLength: number,
): Record<"modules" | "sentenceTransformers" | "sentenceBert", unknown> {
  return {
    modules: [{ idx: 0, name: "0", path: "", type: "sentence_transformers.base.modules.transformer.Transformer" }],
    sentenceTransformers: {
      __version__: { sentence_transformers: "6.0.1" },
      activation_fn: ACTIVATION,
      default_prompt_name: null,
      model_type: "CrossEncoder",
      prompts: {},
    },
    sentenceBert: {
      transformer_task: "sequence-classification",
      modality_config: { text: { method: "forward", method_output_name: "logits" } },
      module_output_name: "scores",
      max_seq_length: maxLength,
    },
  };
}

/** A special token is a text, or an object with its text in `content`. */
function tokenText(token: unknown): string | undefined {
  if (typeof token === "string") return token;
  return isObject(token) && typeof token.content === "string" ? token.content : undefined;
}

function tokenId(tokenizer: JsonObject, content: string): number | undefined {
  const tokens = Array.isArray(tokenizer.added_tokens)
    ? (tokenizer.added_tokens as { content?: unknown; id?: unknown }[])
    : [];
  const id = tokens.find((token) => token.content === content)?.id;
  return typeof id === "number" ? id : undefined;
}
