// Tells the columns of a sentence-transformers row apart: which is the query, which are passages, which holds the label. Judges nothing.

/** Names under which sentence-transformers looks for the target; every other column is a text to it. */
export const TARGET_COLUMNS = ["label", "labels", "score", "scores"] as const;

const QUERY_NAMES = ["anchor", "query", "question", "sentence1", "sentence_1", "sentence_a", "premise"];
const SIDE_NAME = /^(positive|negative)(_\d+)?$/i;
/** The evaluator's rows: passages to rank, of which `positive` lists the relevant ones. */
const DOCUMENTS = "documents";

export interface TupleColumns {
  query: string;
  /** Passage columns in their order; those named positive or negative alone when there are any. */
  passages: string[];
  /** Columns beside named ones that are no passages. */
  unused: string[];
  targets: string[];
  /** Whether names, not the order, tell positive from negative. */
  named: boolean;
}

/** Order decides, as in sentence-transformers, except where names are plain (anchor, query, positive, negative_2). */
export function tupleColumns(values: Record<string, unknown>, details: readonly string[]): TupleColumns {
  const isTarget = (name: string): boolean => (TARGET_COLUMNS as readonly string[]).includes(name.toLowerCase());
  const present = Object.keys(values).filter((name) => values[name] !== null && values[name] !== "");
  const texts = Object.keys(values).filter((name) => !isTarget(name) && !details.includes(name));
  const query = texts.find((name) => QUERY_NAMES.includes(name.toLowerCase())) ?? texts[0] ?? "query";
  const rest = texts.filter((name) => name !== query);
  const sides = rest.filter((name) => SIDE_NAME.test(name));
  const named = sides.length > 0;
  const chosen = named ? rest.filter((name) => sides.includes(name) || name === DOCUMENTS) : rest;
  return {
    query,
    passages: chosen,
    unused: rest.filter((name) => !chosen.includes(name)),
    targets: present.filter(isTarget),
    named,
  };
}

/** Whether a named column holds relevant passages; `documents` beside a `positive` holds the others. */
export function isPositiveColumn(name: string): boolean {
  return /^positive/i.test(name);
}

/** Whether a row looks like one of sentence-transformers by its names alone, or by a list of labels beside a list of texts. */
export function looksLikeTuple(values: Record<string, unknown>): boolean {
  const names = Object.keys(values);
  const lists = names.filter((name) => Array.isArray(values[name]));
  const isTarget = (name: string): boolean => (TARGET_COLUMNS as readonly string[]).includes(name);
  return (
    names.some((name) => SIDE_NAME.test(name) || /^(anchor|sentence_?1|sentence_a)$/i.test(name)) ||
    (lists.some(isTarget) && lists.some((name) => !isTarget(name)))
  );
}
