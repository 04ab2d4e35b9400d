// The one list of forms that labelled data can have, read and written. The recipe's enum, the flags and the readers take it from here.

/** Forms that can be read, the canonical one second by history of the recipe's enum. */
export const DATA_FORMS = [
  "pairs",
  "groups",
  "flag_embedding",
  "sentence_transformers",
  "ms_swift",
  "tevatron",
  "rag_retrieval",
  "cohere",
  "trec",
  "beir",
] as const;
export type DataFormat = (typeof DATA_FORMS)[number];

/** Forms that are folders; all others are files. */
export const FOLDER_FORMS: readonly DataFormat[] = ["trec", "beir"];

/** Forms that can be written; `groups` is the canonical one. */
export const TARGET_FORMS = ["groups", "flag_embedding", "pairs", "sentence_transformers", "beir"] as const;
export type TargetForm = (typeof TARGET_FORMS)[number];

/** How a row of each form looks, for hints and help. */
export const FORM_EXAMPLES: Record<DataFormat, string> = {
  pairs: '{"query", "passage", "label"}',
  groups: '{"query", "passages": [{"text", "label"}]}',
  flag_embedding: '{"query", "pos": [...], "neg": [...]}',
  sentence_transformers: '{"anchor", "positive", "negative"} or {"query", "docs": [...], "labels": [...]}',
  ms_swift: '{"messages", "positive_messages", "negative_messages"}',
  tevatron: '{"query", "positive_passages": [...], "negative_passages": [...]}',
  rag_retrieval: '{"query", "content", "label"} or {"query", "hits": [{"content", "label"}]}',
  cohere: '{"query", "relevant_passages": [...], "hard_negatives": [...]}',
  trec: "a folder with corpus.jsonl, queries.tsv, a qrels file and perhaps a run",
  beir: "a folder with corpus.jsonl, queries.jsonl and qrels/*.tsv",
};
