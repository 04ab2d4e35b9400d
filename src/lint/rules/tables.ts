// Rules on ids against the tables they index: the vocabulary against the embedding table.
import { setMembers, withEdit } from "../edit.js";
import { configOf, type FolderFacts, hasConfig, isWhole, tokenizerConfigOf, tokenizerOf } from "../facts.js";
import { positionTableRows, tokenIds, wordTable } from "../model-facts.js";
import { CONSUMERS, type Rule, TORCH } from "../rule.js";

/** Rows of the embedding table: as the weights have it, else as config.json says. */
function vocabularyRows(facts: FolderFacts): number | undefined {
  const { vocab_size: said } = configOf(facts);
  return wordTable(facts)?.rows ?? (isWhole(said) ? said : undefined);
}

/** Ids that every pair has, or every batch: those of the template and of padding. */
function constantIds(facts: FolderFacts): Map<string, number> {
  const ids = tokenIds(facts);
  const found = new Map<string, number>();
  const config = tokenizerConfigOf(facts);
  for (const name of ["cls_token", "sep_token", "pad_token", "bos_token", "eos_token"]) {
    const id = ids.get(String(config[name]));
    if (id !== undefined) found.set(String(config[name]), id);
  }
  const processor = JSON.stringify(tokenizerOf(facts).post_processor ?? null);
  for (const [, token = "", id] of processor.matchAll(/"id":"([^"]+)","ids":\[(\d+)\]/g)) found.set(token, Number(id));
  const { pad_token_id: pad } = configOf(facts);
  if (isWhole(pad)) found.set("pad_token_id", pad);
  return found;
}

export const specialIdOutside: Rule = {
  id: "special_id_outside_table",
  severity: "error",
  about: "A special token whose id has no row in the embedding table breaks every pair.",
  source: "torch.nn.Embedding and ONNX Gather: index out of range (onnx.md §1.3)",
  consumers: CONSUMERS,
  check: (facts) => {
    const rows = vocabularyRows(facts);
    if (rows === undefined) return [];
    const outside = [...constantIds(facts)].filter(([, id]) => id >= rows);
    const [first] = outside;
    return first === undefined
      ? []
      : [
          {
            file: "tokenizer.json",
            message: `gives ${outside.map(([name, id]) => `${name} the id ${id}`).join(", ")}, and the table has ${rows} rows`,
            fix: "ship the tokenizer that the model was trained with",
          },
        ];
  },
};

export const vocabularyTooLarge: Rule = {
  id: "vocabulary_beyond_table",
  severity: "warning",
  about: "A piece whose id has no row in the embedding table fails as soon as a text has it.",
  source: "torch.nn.Embedding and ONNX Gather: index out of range",
  consumers: CONSUMERS,
  check: (facts) => {
    const rows = vocabularyRows(facts);
    const ids = [...tokenIds(facts).values()];
    if (rows === undefined || ids.length === 0) return [];
    const constant = new Set(constantIds(facts).values());
    const outside = ids.filter((id) => id >= rows && !constant.has(id)).length;
    if (outside === 0) return [];
    return [
      {
        file: "tokenizer.json",
        message: `has ${outside} pieces beyond the ${rows} rows of the embedding table`,
        fix: "resize the embeddings to the tokenizer, or ship the tokenizer that the model was trained with",
      },
    ];
  },
};

export const vocabSizeDiffers: Rule = {
  id: "vocab_size_differs",
  severity: "error",
  about: "Weights are loaded into a table of vocab_size rows and must have as many.",
  source: "TEI backends/candle/src/models/bert.rs, BertEmbeddings::load; transformers from_pretrained",
  consumers: TORCH,
  check: (facts) => {
    const table = wordTable(facts);
    const { vocab_size: said } = configOf(facts);
    if (table === undefined || !hasConfig(facts) || said === table.rows) return [];
    return [
      {
        file: "config.json",
        message:
          said === undefined ? "has no vocab_size" : `has vocab_size ${said}, and ${table.name} has ${table.rows} rows`,
        fix: `set "vocab_size": ${table.rows}`,
        ...withEdit(setMembers(facts, "config.json", { vocab_size: table.rows })),
      },
    ];
  },
};

export const positionRowsDiffer: Rule = {
  id: "position_rows_differ",
  severity: "error",
  about: "Weights are loaded into a table of max_position_embeddings rows and must have as many.",
  source: "TEI backends/candle/src/models/bert.rs, BertEmbeddings::load; transformers from_pretrained",
  consumers: TORCH,
  check: (facts) => {
    const rows = positionTableRows(facts);
    const { max_position_embeddings: said } = configOf(facts);
    if (rows === undefined || said === undefined || said === rows) return [];
    return [
      {
        file: "config.json",
        message: `has max_position_embeddings ${said}, and the weights have ${rows} rows`,
        fix: `set "max_position_embeddings": ${rows}`,
        ...withEdit(setMembers(facts, "config.json", { max_position_embeddings: rows })),
      },
    ];
  },
};
