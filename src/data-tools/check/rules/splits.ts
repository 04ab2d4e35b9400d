// Rules on a split that the data brings along: is what is measured kept apart from what is learnt?
import { SPLITS, type Split } from "../../../dataset/groups.js";
import type { CheckedData, Rule, Say } from "../rule.js";

export const partlySplit: Rule = {
  name: "partly_split",
  severity: "error",
  about: "Some queries have a split and others none, so these stand on no side. Give every query one, or none.",
  watch: (say) => ({
    end: (data) => {
      const without: number[] = [];
      for (let number = 0; number < data.queries; number++)
        if (data.splitOf(number) === undefined) without.push(number);
      if (without.length === data.queries) return;
      for (const number of without) {
        const { file, line } = data.query(number);
        say({ file, line, path: "split" }, "has no split, but other queries have one");
      }
    },
  }),
};

/** For every query of dev and test the first one in the same class on a side that is used earlier: that side spoils this one. */
function eachAcross(
  data: CheckedData,
  classOf: (number: number) => number,
  found: (later: number, earlier: number) => void,
) {
  const firstOn: Record<Split, Map<number, number>> = { train: new Map(), dev: new Map(), test: new Map() };
  for (let number = 0; number < data.queries; number++) {
    const side = data.splitOf(number);
    if (side !== undefined && !firstOn[side].has(classOf(number))) firstOn[side].set(classOf(number), number);
  }
  for (let number = 0; number < data.queries; number++) {
    const side = data.splitOf(number);
    if (side === undefined) continue;
    const earlier = SPLITS.slice(0, SPLITS.indexOf(side)).map((split) => firstOn[split].get(classOf(number)));
    const other = earlier.find((candidate) => candidate !== undefined);
    if (other !== undefined) found(number, other);
  }
}

function sayAcross(say: Say, data: CheckedData, later: number, earlier: number, how: string): void {
  const { file, line } = data.query(later);
  say({ file, line, path: "query" }, `${how} the ${data.splitOf(earlier)} query of line ${data.query(earlier).line}`);
}

export const queryInTwoSplits: Rule = {
  name: "query_in_two_splits",
  severity: "error",
  about:
    "The same query stands in training and in what is measured. Delete one, or split again: `rerank-tune data split`.",
  watch: (say) => ({
    end: (data) =>
      eachAcross(data, data.wordsOf, (later, earlier) => sayAcross(say, data, later, earlier, "the same words as")),
  }),
};

export const nearDuplicateAcrossSplits: Rule = {
  name: "near_duplicate_across_splits",
  severity: "warning",
  about: "Measured queries are close to training queries, so scores flatter. Split again: `rerank-tune data split`.",
  watch: (say) => ({
    end: (data) =>
      eachAcross(data, data.firstAlike(), (later, earlier) => {
        if (data.wordsOf(later) !== data.wordsOf(earlier)) sayAcross(say, data, later, earlier, "close to");
      }),
  }),
};
