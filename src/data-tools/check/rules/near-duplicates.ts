// Rules on queries and passages that say nearly the same: 0.8 of their words in common (dataset/near-duplicates).
import type { Rule } from "../rule.js";

export const nearDuplicateQuery: Rule = {
  name: "near_duplicate_query",
  severity: "note",
  about: "Queries of nearly the same words stay on one side of a split, so they count as little more than one.",
  watch: (say) => ({
    end: (data) => {
      const firstAlike = data.firstAlike();
      for (let number = 0; number < data.queries; number++) {
        const first = firstAlike(number);
        if (first === number) continue;
        const { file, line } = data.query(number);
        const { line: other } = data.query(first);
        say({ file, line, path: "query" }, `close to the query of line ${other}`);
      }
    },
  }),
};

export const nearDuplicatePassage: Rule = {
  name: "near_duplicate_passage",
  severity: "note",
  about: "Two passages of one query say nearly the same and have one label. Both are kept; one would do.",
  watch: (say) => ({
    group: ({ alike }) => {
      for (const [earlier, { file, line, id, label }] of alike())
        if (label > 0 === earlier.label > 0)
          say({ file, line, path: `passage ${id}` }, `close to passage ${earlier.id} (line ${earlier.line})`);
    },
  }),
};

export const contradictingNearDuplicate: Rule = {
  name: "contradicting_near_duplicate",
  severity: "warning",
  about: "Two passages of one query say nearly the same, but only one is labelled relevant. Look at both labels.",
  watch: (say) => ({
    group: ({ alike }) => {
      for (const [earlier, { file, line, id, label }] of alike())
        if (label > 0 !== earlier.label > 0)
          say(
            { file, line, path: `passage ${id}` },
            `label ${label}, but ${earlier.label} for the close passage ${earlier.id} (line ${earlier.line})`,
          );
    },
  }),
};
