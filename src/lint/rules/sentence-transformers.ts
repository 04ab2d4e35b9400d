// Rules on the three files by which sentence-transformers 6 knows a CrossEncoder.
import { setMembers, withEdit } from "../edit.js";
import { type FolderFacts, objectIn } from "../facts.js";
import { extraModules } from "../model-facts.js";
import type { ConsumerName, Rule } from "../rule.js";

const BOTH: readonly ConsumerName[] = ["sentence-transformers", "sentence-transformers-onnx"];
const FILE = "sentence_bert_config.json";
/** What sentence-transformers 6.0.1 saves for a sequence classifier. */
const TASK = {
  transformer_task: "sequence-classification",
  modality_config: { text: { method: "forward", method_output_name: "logits" } },
  module_output_name: "scores",
};

export const taskMissing: Rule = {
  id: "transformer_task_missing",
  severity: "error",
  about:
    "Beside modules.json sentence-transformers 6 needs transformer_task, or it loads the bare encoder: KeyError 'scores'.",
  source: "sentence-transformers base/modules/transformer.py, load_config; run with 6.0.1 (onnx.md §1.1)",
  consumers: BOTH,
  check: (facts) => {
    if (!facts.documents.has("modules.json") || extraModules(facts).length > 0 || !isCrossEncoder(facts)) return [];
    if (objectIn(facts, FILE)?.transformer_task !== undefined) return [];
    return [
      {
        file: FILE,
        message: facts.files.has(FILE) ? "has no transformer_task" : "is missing beside modules.json",
        fix: "add the keys that sentence-transformers 6 saves, or remove modules.json",
        ...withEdit(setMembers(facts, FILE, TASK)),
      },
    ];
  },
};

const isCrossEncoder = (facts: FolderFacts): boolean =>
  objectIn(facts, "config_sentence_transformers.json")?.model_type === "CrossEncoder";

export const otherKind: Rule = {
  id: "saved_as_other_kind",
  severity: "warning",
  about: "A folder saved as another kind is converted on loading: its activation and prompts are not read.",
  source: "sentence-transformers base/model.py, _load_converted_modules; run with 6.0.1",
  consumers: BOTH,
  check: (facts) => {
    if (!facts.documents.has("modules.json") || isCrossEncoder(facts)) return [];
    const file = "config_sentence_transformers.json";
    const kind = objectIn(facts, file)?.model_type ?? "SentenceTransformer";
    const edit = extraModules(facts).length === 0 ? setMembers(facts, file, { model_type: "CrossEncoder" }) : undefined;
    return [
      {
        file,
        message: `says that this is a ${kind}`,
        fix: 'set "model_type": "CrossEncoder", or remove modules.json',
        ...withEdit(edit),
      },
    ];
  },
};
