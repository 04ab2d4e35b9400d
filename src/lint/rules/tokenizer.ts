// Rules on the tokenizer: that there is a fast one, that it is as training left it, and that a pair gets its template.
import { isObject } from "../../artifacts/json-value.js";
import { setMembers, withEdit } from "../edit.js";
import { type FolderFacts, tokenizerConfigOf, tokenizerOf } from "../facts.js";
import { isDecoder, modelType, padId } from "../model-facts.js";
import { READERS, type Rule } from "../rule.js";

const SLOW = /(^|\/)(vocab\.txt|vocab\.json|merges\.txt|spiece\.model|sentencepiece\.bpe\.model|tokenizer\.model)$/;

export const tokenizerMissing: Rule = {
  id: "tokenizer_json_missing",
  severity: "error",
  about: "TEI and transformers.js read tokenizer.json only; a slow tokenizer's files are nothing to them.",
  source: 'TEI router/src/lib.rs: "text-embeddings-inference only supports fast tokenizers" (onnx.md §1.1)',
  consumers: READERS,
  check: (facts) => {
    if (facts.files.has("tokenizer.json")) return [];
    const slow = [...facts.files.keys()].some((path) => SLOW.test(path));
    return [
      {
        file: "tokenizer.json",
        message: slow ? "is missing; there is a slow tokenizer only" : "is missing, and every other tokenizer too",
        fix: "write it in Python: `AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)`",
        ...(slow ? { consumers: ["tei-ort", "tei-candle", "transformers.js"] } : {}),
      },
    ];
  },
};

export const tokenizerLeftovers: Rule = {
  id: "tokenizer_leftovers",
  severity: "warning",
  about:
    "Truncation and padding of an earlier call stay in tokenizer.json, and cut or fill the texts of who uses it bare.",
  source: "transformers save_pretrained after a truncating call; sentence-transformers' predict (onnx.md §1.3)",
  consumers: ["onnxruntime"],
  check: (facts) => {
    const tokenizer = tokenizerOf(facts);
    const left = ["truncation", "padding"].filter((name) => (tokenizer[name] ?? null) !== null);
    if (left.length === 0) return [];
    return [
      {
        file: "tokenizer.json",
        message: `holds ${left.join(" and ")} of an earlier call`,
        fix: "set truncation and padding to null",
        ...withEdit(setMembers(facts, "tokenizer.json", { truncation: null, padding: null })),
      },
    ];
  },
};

interface Processor {
  type?: unknown;
  pair?: unknown;
  processors?: unknown;
}

/** Whether a pair gets special tokens between and around its texts. */
function joinsPairs(processor: unknown): boolean {
  if (!isObject(processor)) return false;
  const { type, pair, processors }: Processor = processor;
  if (type === "BertProcessing" || type === "RobertaProcessing") return true;
  if (type === "Sequence") return Array.isArray(processors) && processors.some(joinsPairs);
  return Array.isArray(pair) && pair.some((part) => isObject(part) && "SpecialToken" in part);
}

export const pairTemplateMissing: Rule = {
  id: "pair_template_missing",
  severity: "warning",
  about: "Without a pair template query and passage run into one another, and every score is wrong without a word.",
  source: "tokenizers TemplateProcessing; TEI core/src/tokenization.rs (onnx.md §1.3)",
  consumers: READERS,
  check: (facts) => {
    const tokenizer = tokenizerOf(facts);
    if (!isObject(tokenizer.model) || isDecoder(facts) || joinsPairs(tokenizer.post_processor)) return [];
    return [
      {
        file: "tokenizer.json",
        message: "has no template for a pair",
        fix: "write it again from the base's tokenizer, whose post_processor has a `pair`",
      },
    ];
  },
};

export const tokenizerClassOfFive: Rule = {
  id: "tokenizer_class_of_transformers_5",
  severity: "error",
  about: "transformers 5 saves a class that transformers 4 does not know; optimum, and with it Infinity, is on 4.",
  source:
    'transformers 4.57 tokenization_auto.py: "Tokenizer class ... does not exist"; optimum-onnx requires <4.58 (onnx.md §5)',
  consumers: ["sentence-transformers-onnx", "infinity"],
  check: (facts) => {
    const { tokenizer_class: name } = tokenizerConfigOf(facts);
    if (name !== "TokenizersBackend") return [];
    return [
      {
        file: "tokenizer_config.json",
        message: "has the tokenizer_class TokenizersBackend",
        fix: "write PreTrainedTokenizerFast, which reads the same tokenizer.json",
        ...withEdit(setMembers(facts, "tokenizer_config.json", { tokenizer_class: "PreTrainedTokenizerFast" })),
      },
    ];
  },
};

/** Normalizers that transformers 5 makes anew for XLM-R: nothing but the character map stays. */
const KEPT_NORMALIZERS = ["Precompiled"];

export const normalizerRebuilt: Rule = {
  id: "normalizer_rebuilt",
  severity: "warning",
  about:
    "transformers 5 rebuilds XLM-R's normalizer and drops all but its character map: other ids than TEI and transformers.js.",
  source: "transformers 5.18 XLMRobertaTokenizer.__init__ (onnx.md §1.3: 27 of 800 real pairs differ)",
  consumers: ["sentence-transformers", "vllm"],
  check: (facts) => {
    const { tokenizer_class: name } = tokenizerConfigOf(facts);
    const { normalizer } = tokenizerOf(facts);
    const rebuilds =
      /^XLMRoberta/.test(String(name ?? "")) || (name === undefined && modelType(facts) === "xlm-roberta");
    if (!rebuilds || !isObject(normalizer) || KEPT_NORMALIZERS.includes(String(normalizer.type))) return [];
    const parts = Array.isArray(normalizer.normalizers) ? normalizer.normalizers : [normalizer];
    return [
      {
        file: "tokenizer_config.json",
        message: `has a class that drops ${parts.map((part) => (isObject(part) ? part.type : "?")).join(" + ")} of tokenizer.json's normalizer`,
        fix: 'set "tokenizer_class": "PreTrainedTokenizerFast", which reads tokenizer.json as it is',
        ...withEdit(setMembers(facts, "tokenizer_config.json", { tokenizer_class: "PreTrainedTokenizerFast" })),
      },
    ];
  },
};

/** Classes without names of special tokens of their own. */
const GENERIC = ["PreTrainedTokenizerFast", "TokenizersBackend"];

export const padTokenUnnamed: Rule = {
  id: "pad_token_unnamed",
  severity: "error",
  about: "Python's tokenizer pads a batch by the token that tokenizer_config.json names, or refuses to.",
  source: 'transformers tokenization_utils_base.py: "Asking to pad but the tokenizer does not have a padding token"',
  consumers: ["sentence-transformers", "sentence-transformers-onnx", "infinity"],
  check: (facts) => {
    const config = tokenizerConfigOf(facts);
    const map = facts.documents.get("special_tokens_map.json");
    const mapped = map !== undefined && "value" in map && isObject(map.value) && map.value.pad_token !== undefined;
    if (!GENERIC.includes(String(config.tokenizer_class)) || (config.pad_token ?? null) !== null || mapped) return [];
    const token = ["[PAD]", "<pad>", "<|pad|>"].find((name) => hasToken(facts, name));
    return [
      {
        file: "tokenizer_config.json",
        message: "names no pad_token",
        fix: `add "pad_token"${token === undefined ? "" : `: "${token}"`}`,
        ...(token === undefined ? {} : withEdit(setMembers(facts, "tokenizer_config.json", { pad_token: token }))),
      },
    ];
  },
};

function hasToken(facts: FolderFacts, name: string): boolean {
  const { added_tokens: added } = tokenizerOf(facts);
  return (
    padId(facts) !== undefined &&
    Array.isArray(added) &&
    added.some((token) => isObject(token) && token.content === name)
  );
}
