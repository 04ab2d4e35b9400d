// Ways to break the small configuration files of a sound folder.
import { type Case, type Parts, POSITIONS, soundParts, VOCABULARY } from "./model-files.js";

const TEI = ["tei-ort", "tei-candle"] as const;
const READERS: Case["no"] = [
  "tei-ort",
  "tei-candle",
  "sentence-transformers",
  "sentence-transformers-onnx",
  "transformers.js",
  "infinity",
  "vllm",
];

const without =
  (part: keyof Parts, ...names: string[]) =>
  (parts: Parts) => {
    for (const name of names) delete (parts[part] as Record<string, unknown>)[name];
  };

export const ARCHITECTURE_CASES: Case[] = [
  {
    title: "no config.json",
    change: ({ files }) => {
      files["config.json"] = null;
    },
    rules: ["config_missing"],
    no: READERS,
  },
  {
    title: "a config.json that is no JSON",
    change: ({ files }) => {
      files["config.json"] = "{'a': 1}";
    },
    rules: ["json_broken"],
    no: READERS,
  },
  {
    title: "no architectures",
    change: without("config", "architectures"),
    rules: ["architecture_missing"],
    no: [...TEI, "vllm"],
    fixable: true,
  },
  {
    title: "the architecture of an encoder over weights with a head",
    change: ({ config }) => {
      config.architectures = ["BertModel"];
    },
    rules: ["not_a_sequence_classifier"],
    no: [...TEI, "vllm"],
    fixable: true,
  },
  {
    title: "an encoder",
    change: ({ config, tensors }) => {
      config.architectures = ["BertModel"];
      delete tensors["classifier.weight"];
      delete tensors["classifier.bias"];
    },
    rules: ["not_a_sequence_classifier"],
    no: [...TEI, "sentence-transformers", "vllm"],
  },
  {
    title: "a token classifier, whose name ends in Classification too",
    change: ({ config }) => {
      config.architectures = ["BertForTokenClassification"];
    },
    rules: ["not_a_sequence_classifier"],
    no: [...TEI, "vllm"],
    fixable: true,
  },
  {
    title: "a decoder that answers yes or no",
    change: ({ config, tensors }) => {
      config.architectures = ["Qwen3ForCausalLM"];
      config.model_type = "qwen3";
      delete config.id2label;
      delete config.label2id;
      for (const name of Object.keys(tensors)) if (name.startsWith("classifier")) delete tensors[name];
    },
    rules: ["decoder_template", "model_type_unknown_to_candle"],
    no: [...TEI, "sentence-transformers-onnx", "transformers.js", "infinity", "vllm"],
  },
  {
    title: "a modular head",
    change: (parts) => {
      parts.config.architectures = ["BertModel"];
      for (const name of ["Pooling", "Dense"])
        parts.modules.push({ idx: 1, name: "1", path: "1", type: `sentence_transformers.models.${name}` });
      delete parts.tensors["classifier.weight"];
      delete parts.tensors["classifier.bias"];
    },
    rules: ["not_a_sequence_classifier", "modular_head"],
    no: [...TEI, "infinity", "vllm"],
  },
  {
    title: "no model_type",
    change: without("config", "model_type"),
    rules: ["model_type_missing"],
    no: READERS,
  },
  {
    title: "a decoder with a head of one label",
    change: ({ config, tensors }) => {
      config.model_type = "qwen3";
      config.architectures = ["Qwen3ForSequenceClassification"];
      for (const name of Object.keys(tensors)) delete tensors[name];
      tensors["model.embed_tokens.weight"] = { shape: [VOCABULARY, 16] };
      tensors["score.weight"] = { shape: [1, 16] };
    },
    rules: ["model_type_unknown_to_candle", "model_type_unknown_to_transformers_js", "architecture_unknown_to_vllm"],
    no: ["tei-candle", "transformers.js"],
  },
  {
    title: "a model type that candle has no head for",
    change: ({ config }) => {
      config.model_type = "mpnet";
      config.architectures = ["MPNetForSequenceClassification"];
    },
    rules: ["model_type_unknown_to_candle", "architecture_unknown_to_vllm"],
    no: ["tei-candle"],
  },
  {
    title: "relative positions",
    change: ({ config }) => {
      config.position_embedding_type = "relative_key";
    },
    rules: ["position_embedding_not_absolute"],
    no: ["tei-candle"],
  },
  {
    title: "ModernBERT under transformers 5's names alone",
    change: ({ config, tensors }) => {
      config.model_type = "modernbert";
      config.architectures = ["ModernBertForSequenceClassification"];
      tensors["model.embeddings.tok_embeddings.weight"] = { shape: [VOCABULARY, 16] };
      for (const name of Object.keys(tensors)) if (name.startsWith("bert.")) delete tensors[name];
    },
    rules: ["modernbert_names"],
    no: ["tei-candle"],
  },
  {
    title: "custom code of a kind that transformers does not have",
    change: ({ config }) => {
      config.model_type = "new";
      config.architectures = ["NewForSequenceClassification"];
      config.auto_map = { AutoModel: "modeling.NewModel" };
    },
    rules: ["model_type_unknown_to_transformers_js", "architecture_unknown_to_vllm", "custom_code"],
    no: ["sentence-transformers", "sentence-transformers-onnx", "transformers.js", "vllm"],
  },
  {
    title: "custom code that nobody needs",
    change: ({ config }) => {
      config.auto_map = { AutoModel: "modeling.BertModel" };
    },
    rules: ["custom_code"],
    no: [],
    fixable: true,
  },
  {
    title: "Python files",
    change: ({ files }) => {
      files["modeling.py"] = "print(1)\n";
    },
    rules: ["python_files"],
    no: [],
  },
];

export const LABEL_CASES: Case[] = [
  {
    title: "no labels",
    change: without("config", "id2label", "label2id"),
    rules: ["labels_missing"],
    no: [...TEI, "sentence-transformers", "sentence-transformers-onnx", "vllm"],
    fixable: true,
  },
  {
    title: "two labels, which transformers leaves out of config.json",
    change: ({ config, tensors }) => {
      delete config.id2label;
      delete config.label2id;
      tensors["classifier.weight"] = { shape: [2, 16] };
      tensors["classifier.bias"] = { shape: [2] };
    },
    rules: ["labels_missing"],
    no: [...TEI, "sentence-transformers", "sentence-transformers-onnx", "vllm"],
  },
  {
    title: "no label2id",
    change: without("config", "label2id"),
    rules: ["label2id_missing"],
    no: [...TEI],
    fixable: true,
  },
  {
    title: "three labels in both",
    change: ({ config, tensors }) => {
      config.id2label = { "0": "a", "1": "b", "2": "c" };
      config.label2id = { a: 0, b: 1, c: 2 };
      tensors["classifier.weight"] = { shape: [3, 16] };
    },
    rules: ["not_one_label"],
    no: [...TEI, "sentence-transformers", "sentence-transformers-onnx", "infinity", "vllm"],
  },
  {
    title: "two labels over a head of one",
    change: ({ config }) => {
      config.id2label = { "0": "no", "1": "yes" };
      config.label2id = { no: 0, yes: 1 };
    },
    rules: ["not_one_label"],
    no: [...TEI, "sentence-transformers", "sentence-transformers-onnx", "infinity", "vllm"],
    fixable: true,
  },
  {
    title: "a label that is a number, which TEI's parser refuses",
    change: ({ config }) => {
      config.id2label = { "0": 0 };
    },
    rules: ["config_types"],
    no: [...TEI],
  },
  {
    title: "a list in auto_map, which TEI's parser refuses",
    change: ({ config }) => {
      config.auto_map = { AutoTokenizer: [null, "tokenization.Fast"] };
    },
    rules: ["custom_code", "config_types"],
    no: [...TEI],
    fixable: true,
  },
  {
    title: "one label over a head of two",
    change: ({ tensors }) => {
      tensors["classifier.weight"] = { shape: [2, 16] };
    },
    rules: ["head_rows_differ"],
    no: ["tei-candle", "sentence-transformers", "vllm"],
  },
];

export const FIELD_CASES: Case[] = [
  {
    title: "no hidden_size",
    change: without("config", "hidden_size"),
    rules: ["hidden_size_missing"],
    no: [...TEI, "sentence-transformers", "vllm"],
    fixable: true,
  },
  {
    title: "no num_hidden_layers",
    change: without("config", "num_hidden_layers"),
    rules: ["num_hidden_layers_missing"],
    no: [...TEI, "sentence-transformers", "vllm"],
    fixable: true,
  },
  {
    title: "no max_position_embeddings",
    change: without("config", "max_position_embeddings"),
    rules: ["max_position_embeddings_missing"],
    no: [...TEI, "sentence-transformers", "infinity", "vllm"],
    fixable: true,
  },
  {
    title: "no pad_token_id",
    change: without("config", "pad_token_id"),
    rules: ["pad_token_id_missing"],
    no: ["tei-candle"],
    fixable: true,
  },
  {
    title: "no layer_norm_eps",
    change: without("config", "layer_norm_eps"),
    rules: ["bert_fields_missing"],
    no: ["tei-candle"],
  },
  {
    title: "another vocab_size than the table's",
    change: ({ config }) => {
      config.vocab_size = VOCABULARY + 1;
    },
    rules: ["vocab_size_differs"],
    no: ["tei-candle", "sentence-transformers", "vllm"],
    fixable: true,
  },
  {
    title: "another max_position_embeddings than the table's",
    change: ({ config }) => {
      config.max_position_embeddings = 2 * POSITIONS;
    },
    rules: ["position_rows_differ"],
    no: ["tei-candle", "sentence-transformers", "vllm"],
    fixable: true,
  },
  {
    title: "no activation",
    change: (parts) => {
      delete parts.config.sentence_transformers;
      delete parts.sentenceTransformers.activation_fn;
    },
    rules: ["activation_missing"],
    no: [],
    fixable: true,
  },
  {
    title: "the activation under its old name",
    change: (parts) => {
      delete parts.config.sentence_transformers;
      parts.config.sbert_ce_default_activation_function = "torch.nn.modules.activation.Sigmoid";
    },
    rules: ["legacy_activation"],
    no: [],
    fixable: true,
  },
  {
    title: "no activation at all on the logits",
    change: ({ sentenceTransformers }) => {
      sentenceTransformers.activation_fn = "torch.nn.modules.linear.Identity";
    },
    rules: ["activation_not_sigmoid"],
    no: [],
  },
];

export const TOKENIZER_CASES: Case[] = [
  {
    title: "no tokenizer.json beside a slow one",
    change: ({ files }) => {
      files["tokenizer.json"] = null;
      files["vocab.txt"] = `${Object.keys(soundParts().tokenizer.model.vocab).join("\n")}\n`;
    },
    rules: ["tokenizer_json_missing"],
    no: [...TEI, "transformers.js"],
  },
  {
    title: "no tokenizer at all",
    change: ({ files }) => {
      files["tokenizer.json"] = null;
    },
    rules: ["tokenizer_json_missing"],
    no: READERS,
  },
  {
    title: "truncation and padding of an earlier call",
    change: ({ tokenizer }) => {
      tokenizer.truncation = { max_length: 20, strategy: "OnlySecond", direction: "Right", stride: 0 };
      tokenizer.padding = {
        strategy: "BatchLongest",
        direction: "Right",
        pad_id: 0,
        pad_type_id: 0,
        pad_token: "[PAD]",
      };
    },
    rules: ["tokenizer_leftovers"],
    no: [],
    fixable: true,
  },
  {
    title: "no template for a pair",
    change: ({ tokenizer }) => {
      tokenizer.post_processor = null;
    },
    rules: ["pair_template_missing"],
    no: [],
  },
  {
    title: "a tokenizer class that only transformers 5 has",
    change: ({ tokenizerConfig }) => {
      tokenizerConfig.tokenizer_class = "TokenizersBackend";
    },
    rules: ["tokenizer_class_of_transformers_5"],
    no: ["sentence-transformers-onnx", "infinity"],
    fixable: true,
  },
  {
    title: "a generic tokenizer without a padding token",
    change: (parts) => {
      parts.tokenizerConfig.tokenizer_class = "PreTrainedTokenizerFast";
      delete parts.tokenizerConfig.pad_token;
      delete parts.specialTokens.pad_token;
    },
    rules: ["pad_token_unnamed"],
    no: ["sentence-transformers", "sentence-transformers-onnx", "infinity"],
    fixable: true,
  },
  {
    title: "a normalizer that transformers 5 rebuilds",
    change: ({ tokenizer, tokenizerConfig }) => {
      tokenizerConfig.tokenizer_class = "XLMRobertaTokenizerFast";
      tokenizer.normalizer = { type: "Sequence", normalizers: [{ type: "NFKC" }, { type: "Lowercase" }] };
    },
    rules: ["normalizer_rebuilt"],
    no: [],
    fixable: true,
  },
  {
    title: "a special token beyond the embedding table",
    change: ({ tokenizer }) => {
      tokenizer.post_processor.special_tokens["[SEP]"].ids = [VOCABULARY];
      tokenizer.model.vocab["[SEP]"] = VOCABULARY;
      tokenizer.added_tokens[3].id = VOCABULARY;
    },
    rules: ["special_id_outside_table"],
    no: [...READERS.slice(0, 6), "onnxruntime", "vllm"],
  },
  {
    title: "pieces beyond the embedding table",
    change: ({ tokenizer }) => {
      tokenizer.model.vocab.another = VOCABULARY;
    },
    rules: ["vocabulary_beyond_table"],
    no: [],
  },
];

export const LENGTH_CASES: Case[] = [
  {
    title: "no model_max_length",
    change: without("tokenizerConfig", "model_max_length"),
    rules: ["model_max_length_missing"],
    no: [],
    fixable: true,
  },
  {
    title: "transformers' word for no limit",
    change: ({ tokenizerConfig }) => {
      tokenizerConfig.model_max_length = 1e30;
    },
    rules: ["model_max_length_missing"],
    no: [],
    fixable: true,
  },
  {
    title: "a limit above the positions",
    change: ({ tokenizerConfig }) => {
      tokenizerConfig.model_max_length = POSITIONS + 1;
    },
    rules: ["model_max_length_beyond_positions"],
    no: [],
    fixable: true,
  },
  {
    title: "sentence-transformers 6's length file",
    change: without("sentenceBert", "max_seq_length"),
    rules: ["length_file_without_length"],
    no: [...TEI],
    fixable: true,
  },
  {
    title: "a length above the positions",
    change: ({ sentenceBert }) => {
      sentenceBert.max_seq_length = POSITIONS + 2;
    },
    rules: ["max_seq_length_beyond_positions"],
    no: [...TEI],
    fixable: true,
  },
  {
    title: "a length that takes gigabytes to warm up",
    change: (parts) => {
      const long = 16384;
      parts.config.max_position_embeddings = long;
      parts.tensors["bert.embeddings.position_embeddings.weight"] = { shape: [long, 16] };
      parts.sentenceBert.max_seq_length = long;
      parts.tokenizerConfig.model_max_length = long;
    },
    rules: ["tei_warm_up_memory"],
    no: [],
  },
  {
    title: "an older length file with nothing but a length",
    change: ({ sentenceBert }) => {
      for (const name of Object.keys(sentenceBert)) if (name !== "max_seq_length") delete sentenceBert[name];
    },
    rules: ["transformer_task_missing"],
    no: ["sentence-transformers", "sentence-transformers-onnx"],
    fixable: true,
  },
  {
    title: "modules.json without the length file",
    change: ({ files }) => {
      files["sentence_bert_config.json"] = null;
    },
    rules: ["transformer_task_missing"],
    no: ["sentence-transformers", "sentence-transformers-onnx"],
    fixable: true,
  },
  {
    title: "the files of an embedding model",
    change: ({ sentenceTransformers }) => {
      sentenceTransformers.model_type = "SentenceTransformer";
    },
    rules: ["saved_as_other_kind"],
    no: [],
    fixable: true,
  },
  {
    title: "a prompt that is no text",
    change: ({ sentenceTransformers }) => {
      sentenceTransformers.prompts = { query: null, document: "d: " };
    },
    rules: ["prompts_not_texts"],
    no: [...TEI],
    fixable: true,
  },
  {
    title: "a modules.json that is no JSON",
    change: ({ files }) => {
      files["modules.json"] = "[";
    },
    rules: ["json_broken"],
    no: ["sentence-transformers", "sentence-transformers-onnx"],
  },
];
