// Rules on judgements: repeated, contradicting, or of one class only.
import { Integers } from "../../../dataset/integers.js";
import type { Rule } from "../rule.js";

export const duplicatePair: Rule = {
  name: "duplicate_pair",
  severity: "warning",
  about: "The same query and passage stand twice with one label. Prepare and a cleaned copy keep the first.",
  watch: (say) => ({
    group: ({ duplicates }) => {
      for (const { row, kept } of duplicates)
        say({ file: row.file, line: row.line, path: "passage" }, `the same pair and label as on line ${kept.line}`, {
          left_out: true,
        });
    },
  }),
};

export const contradictingLabels: Rule = {
  name: "contradicting_labels",
  severity: "error",
  about: "The same pair has two labels. Decide which one holds; prepare and a cleaned copy keep the higher one.",
  watch: (say) => ({
    group: ({ contradictions }) => {
      for (const { row, kept } of contradictions)
        say(
          { file: row.file, line: row.line, path: "label" },
          `label ${row.label}, but ${kept.label} on line ${kept.line} for the same pair; ${kept.label} is kept`,
          { left_out: true },
        );
    },
  }),
};

export const oneClassGroup: Rule = {
  name: "one_class_group",
  severity: "note",
  about:
    "A query without a negative needs mined ones; one without a positive teaches no ranking and is left out by prepare.",
  watch: (say) => {
    const withoutNegative = new Integers();
    let negatives = 0;
    return {
      group: ({ number, query, passages }) => {
        const relevant = passages.filter(({ label }) => label > 0).length;
        negatives += passages.length - relevant;
        if (passages.length === 0) return;
        if (relevant === passages.length) withoutNegative.push(number);
        else if (relevant === 0)
          say({ file: query.file, line: query.line }, `none of ${passages.length} passages is relevant`, {
            severity: "warning",
          });
      },
      end: (data) => {
        // Where nobody judged a negative at all, one_class_data says so once.
        if (negatives === 0) return;
        for (const number of withoutNegative.toArray()) {
          const { file, line } = data.query(number);
          say({ file, line }, "all passages are relevant");
        }
      },
    };
  },
};

export const oneClassData: Rule = {
  name: "one_class_data",
  severity: "error",
  about: "Labels of one class alone teach nothing. Check the label column, or mine negatives: `rerank-tune data mine`.",
  watch: (say) => {
    let [positive, negative] = [0, 0];
    return {
      group: ({ passages }) => {
        for (const { label } of passages) label > 0 ? positive++ : negative++;
      },
      end: ({ source, form }) => {
        if (positive + negative === 0) say({ file: source }, "no usable labelled pair");
        else if (positive === 0) say({ file: source }, `all ${negative} labels are 0: nothing is relevant`);
        // Folders of judgements list what is relevant and leave the rest out by custom.
        else if (negative === 0)
          say({ file: source }, `all ${positive} labels are above 0: there is no negative`, {
            severity: form === "beir" || form === "trec" ? "note" : "warning",
          });
      },
    };
  },
};
