// Rules that need the base's scores: do the labels agree with a model that never saw them? Raw logits; probabilities by the sigmoid.
import type { CheckedGroup, CheckedPassage, Rule } from "../rule.js";

/** A negative at this share of its positive's probability is likely a positive (NV-Retriever, arXiv 2407.15831, TopK-PercPos; training.md §3). */
export const LIKELY_POSITIVE = 0.95;
/** More groups than this with positives below negatives: labels look flipped (training.md §3). */
export const FLIPPED_SHARE = 0.3;
/** More groups than this ranked right: nothing is left to learn (training.md §3). */
export const RIGHT_SHARE = 0.97;
/** A share of fewer groups says little. */
export const FEWEST_GROUPS = 20;

type Scored = CheckedPassage & { score: number };

interface ScoredClasses {
  positives: Scored[];
  negatives: Scored[];
}

/** The scored passages by class; undefined when one class has none. */
function scoredClasses({ passages }: CheckedGroup): ScoredClasses | undefined {
  const scored = passages.filter((passage): passage is Scored => passage.score !== undefined);
  const positives = scored.filter(({ label }) => label > 0);
  const negatives = scored.filter(({ label }) => label <= 0);
  return positives.length === 0 || negatives.length === 0 ? undefined : { positives, negatives };
}

/** Share of (positive, negative) pairs that the base ranks right, ties half: the area under the ROC curve of the group; 0-1. */
function pairsRight({ positives, negatives }: ScoredClasses): number {
  let right = 0;
  for (const positive of positives)
    for (const negative of negatives)
      right += positive.score > negative.score ? 1 : positive.score === negative.score ? 0.5 : 0;
  return right / (positives.length * negatives.length);
}

const percentOf = (share: number): string => `${(100 * share).toFixed(1)} %`;

export const flippedLabels: Rule = {
  name: "flipped_labels",
  severity: "warning",
  about: "The base ranks positives below negatives in so many queries that 1 may mean not relevant. Look at a few.",
  watch: (say) => {
    let [groups, below] = [0, 0];
    return {
      group: (group) => {
        const classes = scoredClasses(group);
        if (classes === undefined) return;
        groups += 1;
        if (pairsRight(classes) < 0.5) below += 1;
      },
      end: ({ source }) => {
        const share = below / groups;
        if (groups < FEWEST_GROUPS || share <= FLIPPED_SHARE) return;
        // Worse than a coin is no hard task any more.
        const severity = share > 0.5 ? "error" : "warning";
        say(
          { file: source, path: "label" },
          `positives below negatives in ${below} of ${groups} groups (${percentOf(share)})`,
          {
            severity,
          },
        );
      },
    };
  },
};

export const rankedAgainstLabels: Rule = {
  name: "ranked_against_labels",
  severity: "note",
  about: "The base ranks the positives of this query below its negatives: a hard query, or a wrong label.",
  watch: (say) => ({
    group: (group) => {
      const classes = scoredClasses(group);
      if (classes === undefined) return;
      const right = pairsRight(classes);
      const { file, line } = group.query;
      if (right < 0.5) say({ file, line, path: "label" }, `${percentOf(right)} of its pairs are ranked as labelled`);
    },
  }),
};

export const nothingToLearn: Rule = {
  name: "nothing_to_learn",
  severity: "warning",
  about:
    "The base already ranks nearly every query right. Mine harder negatives (`rerank-tune data mine`) or keep the base.",
  watch: (say) => {
    let [groups, right] = [0, 0];
    return {
      group: (group) => {
        const classes = scoredClasses(group);
        if (classes === undefined) return;
        groups += 1;
        if (pairsRight(classes) === 1) right += 1;
      },
      end: ({ source }) => {
        if (groups >= FEWEST_GROUPS && right / groups > RIGHT_SHARE)
          say({ file: source }, `the base ranks ${right} of ${groups} groups right (${percentOf(right / groups)})`);
      },
    };
  },
};

/** Median probability of the best positives below which probabilities say little of relevance. */
export const LOW_PROBABILITY = 0.1;

export const lowProbabilities: Rule = {
  name: "low_probabilities",
  severity: "note",
  about:
    "The base gives even the best positives low probabilities: it is not calibrated, or does not know the domain. likely_false_negative then only says that it prefers a negative. Read before you relabel.",
  watch: (say) => {
    let [groups, low] = [0, 0];
    return {
      group: ({ passages }) => {
        const best = bestPositive(passages);
        if (best === undefined) return;
        groups += 1;
        if (best < LOW_PROBABILITY) low += 1;
      },
      end: ({ source }) => {
        if (groups >= FEWEST_GROUPS && low > groups / 2)
          say({ file: source }, `best positive below ${LOW_PROBABILITY} in ${low} of ${groups} groups`);
      },
    };
  },
};

/** Probability of the positive that the base likes best; undefined without a scored one. */
function bestPositive(passages: readonly CheckedPassage[]): number | undefined {
  const scores = passages.flatMap(({ label, score }) => (label > 0 && score !== undefined ? [score] : []));
  return scores.length === 0 ? undefined : sigmoid(Math.max(...scores));
}

const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

export const likelyFalseNegative: Rule = {
  name: "likely_false_negative",
  severity: "warning",
  about:
    "The base holds a negative for as relevant as the query's best positive (0.95 of its probability). Look at the label; it is kept.",
  watch: (say) => ({
    group: ({ passages, mined }) => {
      const best = bestPositive(passages);
      if (best === undefined) return;
      const doubtful = (score: number | undefined): boolean =>
        score !== undefined && sigmoid(score) >= LIKELY_POSITIVE * best;
      const compared = (score: number | undefined): string =>
        `at ${sigmoid(score as number).toFixed(3)}, best positive ${best.toFixed(3)}`;
      for (const { file, line, id, label, score } of passages)
        if (label <= 0 && doubtful(score))
          say({ file, line, path: `passage ${id}` }, `judged negative ${compared(score)}`);
      for (const { file, line, score } of mined)
        if (doubtful(score)) say({ file, line, path: "passage" }, `unjudged ${compared(score)}`);
    },
  }),
};
