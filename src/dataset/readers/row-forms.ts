// Says which forms a single row of a file may have, by its field names. Reads nothing.
import type { DataFormat } from "../forms.js";
import { QUERY_DETAILS } from "./entries.js";
import { looksLikeTuple, TARGET_COLUMNS } from "./tuple-columns.js";

type Values = Record<string, unknown>;

/** Fields that no other form has. */
const SIGNS: Partial<Record<DataFormat, readonly string[]>> = {
  groups: ["passages"],
  flag_embedding: ["pos"],
  cohere: ["relevant_passages"],
  ms_swift: ["positive_messages", "negative_messages"],
  tevatron: ["positive_passages", "negative_passages"],
  rag_retrieval: ["hits"],
};

/** Every form that a row may be of; more than one when its names do not decide. */
export function formsOfRow(values: Values): DataFormat[] {
  const has = (name: string): boolean => name in values;
  const found = (Object.keys(SIGNS) as DataFormat[]).filter((form) => SIGNS[form]?.some(has));
  if (looksLikeTuple(values)) found.push("sentence_transformers");
  if (has("content") && has("label") && !has("passage")) found.push("rag_retrieval");
  if (has("passage") && (has("label") || found.length === 0)) found.push("pairs");
  if (found.length === 0 && has("label")) found.push("pairs");
  if (isBareTuple(values) && !found.includes("rag_retrieval") && !found.includes("sentence_transformers"))
    found.push("sentence_transformers");
  return [...new Set(found)];
}

/** Two texts under any names and a target: a labelled pair of sentence-transformers, which goes by order alone. */
function isBareTuple(values: Values): boolean {
  const names = Object.keys(values).filter((name) => !(QUERY_DETAILS as readonly string[]).includes(name));
  const targets = names.filter((name) => (TARGET_COLUMNS as readonly string[]).includes(name));
  const texts = names.filter((name) => !targets.includes(name));
  const isPair = names.includes("passage") && names.includes("label");
  return (
    targets.length === 1 && texts.length === 2 && texts.every((name) => typeof values[name] === "string") && !isPair
  );
}
