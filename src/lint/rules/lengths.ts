// Rules on how many tokens a pair may have: what each consumer is told, against the positions that the model has.
import { setMembers, withEdit } from "../edit.js";
import { configOf, type FolderFacts, isWhole, tokenizerConfigOf } from "../facts.js";
import { hasPositionTable, isDecoder, lengthFile, positions, soundLength } from "../model-facts.js";
import { lengthLimit, teiLength } from "../opened.js";
import { type ConsumerName, type Rule, TEI } from "../rule.js";

/** The limit of tokenizer_config.json set to what the folder says elsewhere, else to the positions. */
function limitFix(facts: FolderFacts) {
  const length = soundLength(facts);
  return {
    fix: `set "model_max_length": ${length ?? "the tokens of a pair that it was trained with"}`,
    ...(length === undefined ? {} : withEdit(setMembers(facts, "tokenizer_config.json", { model_max_length: length }))),
  };
}

export const tokenizerLimitMissing: Rule = {
  id: "model_max_length_missing",
  severity: "warning",
  about: "Without model_max_length transformers.js cuts nothing, and a long pair fails inside the graph.",
  source:
    "transformers.js tokenization_utils.js, model_max_length; ONNX Runtime Gather out of bounds (onnx.md §6.11, §8)",
  consumers: ["transformers.js"],
  check: (facts) => {
    const { model_max_length: said } = tokenizerConfigOf(facts);
    if (!facts.files.has("tokenizer.json") || isDecoder(facts) || (isWhole(said) && said < 1_000_000)) return [];
    return [
      {
        file: "tokenizer_config.json",
        message: said === undefined ? "has no model_max_length" : `has a model_max_length that is none (${said})`,
        ...limitFix(facts),
      },
    ];
  },
};

export const tokenizerLimitTooLong: Rule = {
  id: "model_max_length_beyond_positions",
  severity: "warning",
  about: "RoBERTa's 514 rows are 512 tokens: a limit of 514 lets pairs through that fail inside the model.",
  source: "transformers modeling_xlm_roberta.py, padding_idx + 1; FlagEmbedding #990, #740 (onnx.md §6.11)",
  consumers: ["sentence-transformers", "transformers.js"],
  check: (facts) => {
    const { model_max_length: said } = tokenizerConfigOf(facts);
    const most = positions(facts);
    if (!isWhole(said) || said >= 1_000_000 || most === undefined || said <= most || isDecoder(facts)) return [];
    const message = `has model_max_length ${said}, and the model has ${most} positions`;
    return [{ file: "tokenizer_config.json", message, ...limitFix(facts) }];
  },
};

export const lengthFileWithout: Rule = {
  id: "length_file_without_length",
  severity: "error",
  about: "sentence-transformers 6 saves sentence_bert_config.json without max_seq_length, and TEI then does not start.",
  source: 'TEI router/src/lib.rs, STConfig: "Failed to parse `sentence_bert_config.json`" (onnx.md §1.1)',
  consumers: TEI,
  check: (facts) => {
    const found = lengthFile(facts);
    if (found === undefined || found.length !== undefined) return [];
    const length = soundLength(facts);
    const edit = length === undefined ? undefined : setMembers(facts, found.file, { max_seq_length: length });
    return [
      {
        file: found.file,
        message: "has no max_seq_length",
        fix: `add "max_seq_length": ${length ?? "the tokens of a pair"}, which sentence-transformers reads too`,
        ...withEdit(edit),
      },
    ];
  },
};

export const lengthFileTooLong: Rule = {
  id: "max_seq_length_beyond_positions",
  severity: "error",
  about: "TEI warms up with a row of max_seq_length tokens: more than the model has positions, and it does not start.",
  source: "TEI router/src/lib.rs; backends/src/lib.rs, warmup (onnx.md §1.1, §6.11)",
  consumers: TEI,
  check: (facts) => {
    const found = lengthFile(facts);
    const most = positions(facts);
    if (found?.length === undefined || most === undefined || found.length <= most) return [];
    return [
      {
        file: found.file,
        message: `has max_seq_length ${found.length}, and the model has ${most} positions`,
        fix: `set "max_seq_length": ${most}`,
        // Rotary positions do not end: it is longer than trained, and works.
        ...(hasPositionTable(facts) ? {} : { severity: "warning" }),
        ...withEdit(setMembers(facts, found.file, { max_seq_length: most })),
      },
    ];
  },
};

const NO_OFFSET: readonly ConsumerName[] = ["infinity", "vllm"];

export const cutsTooLate: Rule = {
  id: "cuts_beyond_positions",
  severity: "note",
  about:
    "Infinity and vLLM cut at the rows of the position table, two tokens too late for RoBERTa: the longest pairs fail.",
  source: "Infinity crossencoder/optimum.py; vllm/config/model.py, _get_and_verify_max_len (onnx.md §1.1, §6.11)",
  consumers: NO_OFFSET,
  check: (facts) => {
    const most = positions(facts);
    if (most === undefined || !hasPositionTable(facts)) return [];
    const late = NO_OFFSET.filter((consumer) => (lengthLimit(facts, consumer) ?? 0) > most);
    if (late.length === 0) return [];
    return [
      {
        message: `cuts pairs at ${lengthLimit(facts, late[0] as ConsumerName)} tokens, and the model has ${most} positions`,
        fix: `send shorter texts, and start vLLM with --max-model-len ${most}`,
        consumers: late,
      },
    ];
  },
};

/** Scores of all heads for one row of so many tokens, in float32; a graph that is not fused holds them at once. */
const LARGE_WARM_UP = 2e9;

export const warmUp: Rule = {
  id: "tei_warm_up_memory",
  severity: "warning",
  about:
    "TEI on a CPU warms up with one row of the longest length; attention takes heads × length² × 4 bytes, and the start fails or hangs.",
  source: "TEI #758, #819, PR #884 (onnx.md §1.1, §6.8)",
  consumers: ["tei-ort"],
  check: (facts) => {
    const length = teiLength(facts);
    const { num_attention_heads: heads } = configOf(facts);
    if (length === undefined || !isWhole(heads) || heads * length ** 2 * 4 < LARGE_WARM_UP) return [];
    return [
      {
        file: lengthFile(facts)?.file ?? "sentence_bert_config.json",
        message: `${lengthFile(facts) === undefined ? "is missing, so TEI" : "makes TEI"} warm${lengthFile(facts) === undefined ? "s" : ""} up with ${length} tokens: ${((heads * length ** 2 * 4) / 1e9).toFixed(1)} GB of attention`,
        fix: 'give it "max_seq_length": the tokens of a pair that the model was trained with',
      },
    ];
  },
};
