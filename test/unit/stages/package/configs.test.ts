import { describe, expect, test } from "vitest";
import {
  configChanges,
  hasLeftovers,
  sentenceTransformersFiles,
  specialTokens,
  tokenizerConfig,
} from "../../../../src/stages/package/configs.js";

const TRAINED = { architectures: ["XLMRobertaForSequenceClassification"], pad_token_id: 1 };
const WORD_PIECE = {
  normalizer: { type: "BertNormalizer", lowercase: false, strip_accents: null, handle_chinese_chars: true },
  model: { type: "WordPiece" },
};

describe("config.json", () => {
  test("has exactly one label, by which TEI knows a reranker", () => {
    expect(configChanges(TRAINED, {}, false)).toMatchObject({ id2label: { "0": "LABEL_0" }, label2id: { LABEL_0: 0 } });
  });

  test("names external data by the full file name, and only where there is some", () => {
    expect(configChanges(TRAINED, {}, true)["transformers.js_config"]).toEqual({
      use_external_data_format: { "model.onnx": 1 },
    });
    expect(configChanges(TRAINED, {}, false)["transformers.js_config"]).toBeUndefined();
  });

  test("takes a missing padding id from the tokenizer", () => {
    expect(
      configChanges({ ...TRAINED, pad_token_id: null }, { added_tokens: [{ id: 7, content: "<pad>" }] }, false)
        .pad_token_id,
    ).toBe(7);
  });

  test("gives a ModernBERT the names that TEI requires, where every n-th layer is global", () => {
    const rope = { full_attention: { rope_theta: 160000 }, sliding_attention: { rope_theta: 10000 } };
    const withLayers = (layer_types: string[]) =>
      configChanges({ ...TRAINED, model_type: "modernbert", rope_parameters: rope, layer_types }, {}, false);
    const [full, sliding] = ["full_attention", "sliding_attention"];
    const names = { global_attn_every_n_layers: 3, global_rope_theta: 160000, local_rope_theta: 10000 };
    expect(withLayers([full, sliding, sliding, full, sliding])).toMatchObject(names);
    expect(withLayers([full, full]).global_attn_every_n_layers).toBe(1);
    expect(withLayers([sliding, full])).not.toHaveProperty("global_attn_every_n_layers");
    const other = configChanges({ ...TRAINED, rope_parameters: rope, layer_types: [full] }, {}, false);
    expect(other).not.toHaveProperty("global_rope_theta");
  });

  test("of something that is no classifier is refused", () => {
    expect(() => configChanges({ architectures: ["BertModel"] }, {}, false)).toThrow(
      expect.objectContaining({ code: "MODEL_UNSUPPORTED" }),
    );
  });
});

describe("tokenizer_config.json", () => {
  test("names the generic class, which reads tokenizer.json as it is", () => {
    const written = tokenizerConfig({ pad_token: "<pad>" }, { normalizer: null, model: { type: "Unigram" } }, 96, [
      "input_ids",
      "attention_mask",
    ]);
    expect(written).toMatchObject({
      tokenizer_class: "PreTrainedTokenizerFast",
      model_max_length: 96,
      model_input_names: ["input_ids", "attention_mask"],
      pad_token: "<pad>",
    });
  });

  test("names BERT's class where token types are needed, with the normalizer of tokenizer.json", () => {
    const written = tokenizerConfig({}, WORD_PIECE, 96, ["input_ids", "attention_mask", "token_type_ids"]);
    expect(written).toMatchObject({
      tokenizer_class: "BertTokenizer",
      do_lower_case: false,
      strip_accents: null,
      tokenize_chinese_chars: true,
    });
    expect(written.model_input_names).toEqual(["input_ids", "token_type_ids", "attention_mask"]);
  });

  test("keeps nothing of the training machine", () => {
    const written = JSON.stringify(
      tokenizerConfig({ name_or_path: "/home/me", auto_map: {}, is_local: true }, WORD_PIECE, 96, ["input_ids"]),
    );
    expect(written).not.toMatch(/home|auto_map|is_local/);
  });
});

test("special tokens are texts, also where the base has objects", () => {
  expect(
    specialTokens({ cls_token: { content: "<s>", lstrip: false }, pad_token: "<pad>", sep_token: null, other: "x" }),
  ).toEqual({ pad_token: "<pad>", cls_token: "<s>" });
});

test("truncation or padding in tokenizer.json are leftovers", () => {
  expect(
    [
      {},
      { truncation: null, padding: null },
      { truncation: { max_length: 20 } },
      { padding: { strategy: "BatchLongest" } },
    ].map(hasLeftovers),
  ).toEqual([false, false, true, true]);
});

test("sentence_bert_config.json holds what TEI cannot start without, beside sentence-transformers' own keys", () => {
  expect(sentenceTransformersFiles(96).sentenceBert).toMatchObject({
    max_seq_length: 96,
    module_output_name: "scores",
    transformer_task: "sequence-classification",
  });
});
