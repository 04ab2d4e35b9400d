// The rule on a card's model-index, which the Hub checks when a card is pushed.
import { isObject } from "../../artifacts/json-value.js";

import type { Rule } from "../rule.js";
import { ofCard } from "./card.js";

/** What is missing in one model of `model-index`, by the Hub's own rules. */
function indexProblem(model: unknown): string | undefined {
  if (!isObject(model) || typeof model.name !== "string") return "a model without a name";
  const results = Array.isArray(model.results) ? model.results : [];
  for (const result of results.filter(isObject)) {
    const { task, dataset, metrics } = result;
    if (!isObject(task) || typeof task.type !== "string") return "a result without task.type";
    if (!isObject(dataset) || !isText(dataset.type) || !isText(dataset.name))
      return "a result without dataset.type and name";
    if (dataset.config !== undefined && !isText(dataset.config)) return "a dataset.config that is no text";
    const incomplete = (metric: unknown) => !isObject(metric) || !isText(metric.type) || metric.value === undefined;
    if (!Array.isArray(metrics) || metrics.some(incomplete)) return "a metric without type and value";
  }
  return undefined;
}

const isText = (value: unknown): boolean => typeof value === "string";

export const modelIndex: Rule = {
  id: "model_index_incomplete",
  severity: "warning",
  about:
    "The Hub refuses a card whose model-index lacks a task, a dataset's type and name, or a metric's type and value.",
  source: "hub-docs model-cards (packaging.md §4)",
  consumers: [],
  check: (facts) =>
    ofCard(facts, ({ "model-index": index }) => {
      if (index === undefined) return undefined;
      const problem = Array.isArray(index) ? index.map(indexProblem).find((found) => found !== undefined) : "no list";
      if (problem === undefined) return undefined;
      return { message: `has a model-index with ${problem}`, fix: "complete it, or take model-index out" };
    }),
};
