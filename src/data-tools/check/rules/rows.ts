// Rules on rows that could not be read, or not as they stand.
import type { ReaderProblem, Rule } from "../rule.js";

const reported =
  (kind: ReaderProblem["kind"], left_out: boolean): Rule["watch"] =>
  (say) => ({
    problem: (problem) => {
      if (problem.kind === kind) say(problem, problem.message, { left_out });
    },
  });

export const unreadableRow: Rule = {
  name: "unreadable_row",
  severity: "error",
  about: "A row lacks a field, a label is no number, or a line is no JSON. Correct it; a cleaned copy lacks it.",
  watch: reported("unreadable", true),
};

export const emptyText: Rule = {
  name: "empty_text",
  severity: "warning",
  about: "A query or passage is empty. Fill it in or delete the row; prepare and a cleaned copy leave it out.",
  watch: reported("empty", true),
};

export const adjustedValue: Rule = {
  name: "adjusted_value",
  severity: "note",
  about: "A value is read otherwise than it stands, such as a label below 0, which counts as 0.",
  watch: reported("adjusted", false),
};

export const unusedField: Rule = {
  name: "unused_field",
  severity: "note",
  about: "No part of rerank-tune reads this field, and a cleaned copy lacks it. A misspelt name is read like this too.",
  watch: reported("unused", false),
};

export const unknownRunQuery: Rule = {
  name: "unknown_run_query",
  severity: "note",
  about: "The run names queries that the data does not have. A run of production often does; else compare the ids.",
  watch: reported("run", false),
};
