// Rules on labels: exactly one makes a reranker, and it must be written down.
import { isObject } from "../../artifacts/json-value.js";
import { setMembers, withEdit } from "../edit.js";
import { configOf, type FolderFacts, hasConfig } from "../facts.js";
import { architectures, headRows, isDecoder, labelCount } from "../model-facts.js";
import { type Edit, type Rule, TEI } from "../rule.js";

const ONE_LABEL = { id2label: { "0": "LABEL_0" }, label2id: { LABEL_0: 0 } };
const oneLabel = (facts: FolderFacts): { edit?: Edit } => withEdit(setMembers(facts, "config.json", ONE_LABEL));

const isClassifier = (facts: FolderFacts): boolean =>
  architectures(facts).some((name) => name.endsWith("Classification"));

export const labelsMissing: Rule = {
  id: "labels_missing",
  severity: "error",
  about: "Without id2label TEI does not start, and transformers takes the model for one of two labels.",
  source:
    'TEI router/src/lib.rs: "`config.json` does not contain `id2label`"; transformers PreTrainedConfig (onnx.md §1.1)',
  consumers: [...TEI, "sentence-transformers", "sentence-transformers-onnx", "vllm"],
  check: (facts) => {
    if (!hasConfig(facts) || !isClassifier(facts) || isDecoder(facts) || labelCount(facts) !== undefined) return [];
    const { num_labels: said } = configOf(facts);
    const rows = headRows(facts);
    // transformers leaves both out when there are two labels, its default.
    if (rows !== undefined && rows !== 1)
      return [
        {
          file: "config.json",
          message: `has no id2label, and the head has ${rows} labels`,
          fix: "train a head with one label, such as with `rerank-tune run RECIPE`",
          takenFor: "classifier",
        },
      ];
    return [
      {
        file: "config.json",
        message: "has no id2label",
        fix: 'add "id2label": {"0": "LABEL_0"} and "label2id": {"LABEL_0": 0}',
        // A config that says num_labels 1 is enough for transformers.
        ...(said === 1 ? { consumers: TEI } : {}),
        ...(rows === 1 || said === 1 ? oneLabel(facts) : {}),
      },
    ];
  },
};

export const label2idMissing: Rule = {
  id: "label2id_missing",
  severity: "error",
  about: "TEI wants label2id beside id2label, or does not start.",
  source: 'TEI router/src/lib.rs: "`config.json` does not contain `label2id`" (onnx.md §1.1)',
  consumers: TEI,
  check: (facts) => {
    const { id2label, label2id } = configOf(facts);
    if (!isObject(id2label) || isObject(label2id) || !isClassifier(facts)) return [];
    const inverse = Object.fromEntries(Object.entries(id2label).map(([id, label]) => [String(label), Number(id)]));
    return [
      {
        file: "config.json",
        message: "has id2label and no label2id",
        fix: "add label2id, the same the other way round",
        ...withEdit(setMembers(facts, "config.json", { label2id: inverse })),
      },
    ];
  },
};

export const notOneLabel: Rule = {
  id: "not_one_label",
  severity: "error",
  about: "More than one label makes a classifier: TEI's /rerank answers 424, vLLM refuses to score.",
  source: "TEI router/src/lib.rs and core/src/infer.rs; vLLM scoring (onnx.md §1.1, §2)",
  consumers: [...TEI, "sentence-transformers", "sentence-transformers-onnx", "infinity", "vllm"],
  check: (facts) => {
    const count = labelCount(facts);
    if (count === undefined || count === 1) return [];
    const rows = headRows(facts);
    return [
      {
        file: "config.json",
        message: `names ${count} labels${rows === 1 ? ", and the head has one" : ""}`,
        fix:
          rows === 1
            ? "keep one in id2label and label2id"
            : "train a head with one label, such as with `rerank-tune run RECIPE`",
        takenFor: "classifier",
        ...(rows === 1 ? oneLabel(facts) : {}),
      },
    ];
  },
};

export const headRowsDiffer: Rule = {
  id: "head_rows_differ",
  severity: "error",
  about: "The head's last layer must have as many rows as config.json has labels.",
  source: "TEI backends/candle/src/models/bert.rs, BertClassificationHead; transformers from_pretrained",
  consumers: ["tei-candle", "sentence-transformers", "vllm"],
  check: (facts) => {
    const [count, rows] = [labelCount(facts), headRows(facts)];
    if (count !== 1 || rows === undefined || rows === 1) return [];
    return [
      {
        file: "model.safetensors",
        message: `has a head of ${rows} labels where config.json names one`,
        fix: "ship the weights that go with this config.json",
        takenFor: "classifier",
      },
    ];
  },
};
