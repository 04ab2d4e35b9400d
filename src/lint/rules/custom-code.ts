// Rules on code that comes with a model.
import { isObject } from "../../artifacts/json-value.js";
import { setMembers, withEdit } from "../edit.js";
import { configOf } from "../facts.js";
import { modelType } from "../model-facts.js";
import type { ConsumerName, Rule } from "../rule.js";
import { CLASSES } from "./architecture.js";

/** Model types that transformers has itself: it takes its own code when custom code is not trusted. */
const NATIVE = new Set([
  ...Object.keys(CLASSES),
  "nomic_bert",
  "qwen2",
  "qwen3",
  "llama",
  "gemma2",
  "gemma3_text",
  "mistral",
]);
const NEED_TRUST: readonly ConsumerName[] = ["sentence-transformers", "sentence-transformers-onnx", "vllm"];

export const customCode: Rule = {
  id: "custom_code",
  severity: "error",
  about: "`auto_map` names Python files that are run on loading; consumers refuse them unless told to trust them.",
  source: "transformers dynamic_module_utils.py, resolve_trust_remote_code",
  consumers: NEED_TRUST,
  check: (facts) => {
    const { auto_map: map } = configOf(facts);
    if (!isObject(map) || Object.keys(map).length === 0) return [];
    const native = NATIVE.has(modelType(facts));
    return [
      {
        file: "config.json",
        message: `names custom code (auto_map: ${Object.keys(map).join(", ")})`,
        fix: native
          ? "remove auto_map: transformers has this model itself"
          : "read the code, then load with trust_remote_code=True, or choose a base that transformers has itself",
        ...(native
          ? { severity: "warning", ...withEdit(setMembers(facts, "config.json", { auto_map: undefined })) }
          : {}),
      },
    ];
  },
};

export const pythonFiles: Rule = {
  id: "python_files",
  severity: "warning",
  about: "Python files in a model folder are code that somebody may run.",
  source: "transformers dynamic_module_utils.py (packaging.md §5.14)",
  consumers: [],
  check: (facts) => {
    const code = [...facts.files.keys()].filter((path) => path.endsWith(".py"));
    const [first] = code;
    return first === undefined
      ? []
      : [
          {
            file: first,
            message: `${code.length === 1 ? "is" : `and ${code.length - 1} more are`} Python code`,
            fix: "read it, or take it out of the folder",
          },
        ];
  },
};
