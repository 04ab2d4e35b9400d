// Ways to break the weights, the card and the files as such of a sound folder.
import { CARD, type Case, encodeSafetensors, soundParts } from "./model-files.js";

const TORCH: Case["no"] = ["tei-candle", "sentence-transformers", "vllm"];
const weights = (): Buffer => encodeSafetensors(soundParts().tensors);
const FIRST = "model-00001-of-00002.safetensors";
const SECOND = "model-00002-of-00002.safetensors";
const INDEX = "model.safetensors.index.json";

/** The tensors of the sound model in two shards; `place` says which goes where. */
function shards(
  change: (files: Record<string, string | Buffer | null>, map: Record<string, string>) => void,
): Case["change"] {
  return ({ files, tensors }) => {
    const names = Object.keys(tensors);
    const part = (from: number, to?: number) =>
      encodeSafetensors(Object.fromEntries(Object.entries(tensors).slice(from, to)));
    const map = Object.fromEntries(names.map((name, index) => [name, index < 10 ? FIRST : SECOND]));
    files["model.safetensors"] = null;
    files[FIRST] = part(0, 10);
    files[SECOND] = part(10);
    change(files, map);
    if (files[INDEX] !== null) files[INDEX] = JSON.stringify({ metadata: {}, weight_map: map });
  };
}

export const WEIGHT_CASES: Case[] = [
  {
    title: "no weights",
    change: ({ files }) => {
      files["model.safetensors"] = null;
    },
    rules: ["weights_missing"],
    no: TORCH,
  },
  {
    title: "weights as a pickle that is opened",
    change: ({ files }) => {
      files["model.safetensors"] = null;
      files["pytorch_model.bin"] = "PK";
    },
    rules: ["pickle_only"],
    no: [],
  },
  {
    title: "weights as a pickle that nobody opens",
    change: ({ files }) => {
      files["model.safetensors"] = null;
      files["best.ckpt"] = "PK";
    },
    rules: ["pickle_only"],
    no: TORCH,
  },
  {
    title: "a pickle beside the safetensors",
    change: ({ files }) => {
      files["training_args.bin"] = "PK";
    },
    rules: ["pickle_beside"],
    no: [],
  },
  {
    title: "weights that were cut off",
    change: ({ files }) => {
      files["model.safetensors"] = weights().subarray(0, -100);
    },
    rules: ["weights_broken"],
    no: TORCH,
  },
  {
    title: "weights that end inside their header",
    change: ({ files }) => {
      files["model.safetensors"] = weights().subarray(0, 50);
    },
    rules: ["weights_broken"],
    no: TORCH,
  },
  {
    title: "weights whose header is no JSON",
    change: ({ files }) => {
      const bytes = weights();
      bytes.write("x", 8);
      files["model.safetensors"] = bytes;
    },
    rules: ["weights_broken"],
    no: TORCH,
  },
  {
    title: "a web page in place of the weights",
    change: ({ files }) => {
      files["model.safetensors"] = "<html><body>502 Bad Gateway</body></html>";
    },
    rules: ["weights_broken"],
    no: TORCH,
  },
  {
    title: "a shard that is missing",
    change: shards((files) => {
      files[SECOND] = null;
    }),
    rules: ["shard_missing"],
    no: TORCH,
  },
  {
    title: "an index that names a tensor which no shard has",
    change: shards((_, map) => {
      map["bert.encoder.layer.1.output.dense.bias"] = SECOND;
    }),
    rules: ["shard_missing"],
    no: TORCH,
  },
  {
    title: "shards without their index",
    change: shards((files) => {
      files[INDEX] = null;
    }),
    rules: ["shard_unlisted"],
    no: TORCH,
  },
  {
    title: "a shard that the index does not name",
    change: shards((files) => {
      files["model-00003-of-00003.safetensors"] = encodeSafetensors({ x: { shape: [1] } });
    }),
    rules: ["shard_unlisted"],
    no: [],
  },
  {
    title: "no head",
    change: ({ tensors }) => {
      delete tensors["classifier.weight"];
      delete tensors["classifier.bias"];
    },
    rules: ["head_missing"],
    no: TORCH,
  },
  {
    title: "tensors as a wrapper saved them",
    change: (parts) => {
      parts.tensors = Object.fromEntries(
        Object.entries(parts.tensors).map(([name, tensor]) => [name.replace(/^bert\./, "module.bert."), tensor]),
      );
    },
    rules: ["weight_prefix_unknown"],
    no: TORCH,
  },
  {
    title: "weights in bfloat16",
    change: ({ tensors }) => {
      for (const tensor of Object.values(tensors)) tensor.dtype = "BF16";
    },
    rules: ["weights_type"],
    no: [],
  },
];

const card =
  (from: string | RegExp, to: string): Case["change"] =>
  (parts) => {
    parts.card = CARD.replace(from, to);
  };

export const CARD_CASES: Case[] = [
  {
    title: "no card",
    change: ({ files }) => {
      files["README.md"] = null;
    },
    rules: ["card_missing"],
    no: [],
  },
  {
    title: "front matter that is no YAML",
    change: card("license: mit", "license: [mit"),
    rules: ["card_broken"],
    no: [],
  },
  { title: "a non-commercial licence", change: card("mit", "cc-by-nc-4.0"), rules: ["license_restricted"], no: [] },
  { title: "a licence with terms of its own", change: card("mit", "gemma"), rules: ["license_restricted"], no: [] },
  { title: "no licence", change: card("license: mit\n", ""), rules: ["license_missing"], no: [] },
  {
    title: "the tag of a classifier",
    change: card("text-ranking", "text-classification"),
    rules: ["pipeline_tag_not_text_ranking"],
    no: [],
    fixable: true,
  },
  {
    title: "no tag",
    change: card("pipeline_tag: text-ranking\n", ""),
    rules: ["pipeline_tag_not_text_ranking"],
    no: [],
    fixable: true,
  },
  {
    title: "no library_name",
    change: card("library_name: sentence-transformers\n", ""),
    rules: ["library_name_missing"],
    no: [],
    fixable: true,
  },
  { title: "no base_model", change: card(/base_model.*\n/, ""), rules: ["base_model_missing"], no: [] },
  {
    title: "a model-index without the name of its data",
    change: card(
      "license: mit",
      "license: mit\nmodel-index:\n- name: m\n  results:\n  - task: {type: text-ranking}\n    dataset: {type: x}\n    metrics: [{type: map, value: 1}]",
    ),
    rules: ["model_index_incomplete"],
    no: [],
  },
  {
    title: "a whole model-index",
    change: card(
      "license: mit",
      "license: mit\nmodel-index:\n- name: m\n  results:\n  - task: {type: text-ranking}\n    dataset: {type: x, name: X}\n    metrics: [{type: map, value: 1}]",
    ),
    rules: [],
    no: [],
  },
  {
    title: "datasets that are null",
    change: card("license: mit", "license: mit\ndatasets: null"),
    rules: ["datasets_null"],
    no: [],
    fixable: true,
  },
];

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 1000\n`;

export const FILE_CASES: Case[] = [
  {
    title: "a pointer of git-lfs for weights",
    change: ({ files }) => {
      files["model.safetensors"] = POINTER;
    },
    rules: ["lfs_pointer"],
    no: TORCH,
  },
  {
    title: "a pointer of git-lfs for a graph",
    change: ({ files }) => {
      files["onnx/model.onnx"] = POINTER;
    },
    rules: ["lfs_pointer"],
    no: ["tei-ort", "sentence-transformers-onnx", "transformers.js", "infinity", "onnxruntime"],
  },
  {
    title: "empty weights",
    change: ({ files }) => {
      files["model.safetensors"] = "";
    },
    rules: ["empty_file"],
    no: TORCH,
  },
  {
    title: "an empty file that nobody opens",
    change: ({ files }) => {
      files["notes.txt"] = "";
    },
    rules: ["empty_file"],
    no: [],
  },
  {
    title: "names that differ in case only",
    change: ({ files }) => {
      files["readme.md"] = "# Another\n";
    },
    rules: ["names_collide"],
    no: [],
  },
];
