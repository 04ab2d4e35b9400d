// Chooses negatives among candidates: hardest first, without those that the base finds about as relevant as the best positive.
import type { BaseScores } from "./base-scores.js";
import type { Candidate, Candidates } from "./candidates.js";
import type { MineCounts, MineFrom, MineOptions } from "./options.js";
import { type MineQuery, positivesOf } from "./queries.js";

/** A mined negative with where it comes from. */
export interface Negative extends Candidate {
  source: MineFrom | "random";
  /** Raw logit of the base, when there were base scores. */
  base_score?: number;
}

export interface Choice {
  query: MineQuery;
  candidates: Candidates;
}

export interface Chosen {
  negatives: Negative[];
  likelyPositives: number;
  unscored: number;
}

type ChooseOptions = Pick<MineOptions, "from" | "perQuery" | "random" | "maxShare">;

/** One list to draw from: the ranked or the random candidates of one query. */
interface Draft {
  query: MineQuery;
  source: Negative["source"];
  waiting: Candidate[];
  wanted: number;
  taken: Negative[];
  likelyPositives: number;
  unscored: number;
}

/**
 * Negatives of every query. The base scores only as many candidates as it takes to fill the wanted number, all queries of a
 * round together. A candidate is a likely positive when sigmoid(base) >= maxShare * sigmoid(best positive): TopK-PercPos of
 * NV-Retriever (arXiv 2407.15831, 95 %) in probability space, because a share of a signed logit means nothing.
 */
export async function chooseNegatives(
  choices: readonly Choice[],
  base: BaseScores | undefined,
  options: ChooseOptions,
): Promise<Chosen[]> {
  const drafts = choices.map((choice) => draftsOf(choice, options));
  const all = drafts.flat();
  if (base === undefined) for (const draft of all) draft.taken = draft.waiting.splice(0, draft.wanted).map(asIs(draft));
  else await fill(all, base, await limits(choices, base, options.maxShare));
  return drafts.map((ofQuery) => ({
    negatives: ofQuery.flatMap(({ taken }) => taken),
    likelyPositives: ofQuery.reduce((sum, { likelyPositives }) => sum + likelyPositives, 0),
    unscored: ofQuery.reduce((sum, { unscored }) => sum + unscored, 0),
  }));
}

/** Adds one query's choice to the counts of a run. */
export function countChoice(counts: MineCounts, { candidates }: Choice, chosen: Chosen, perQuery: number): void {
  const random = chosen.negatives.filter(({ source }) => source === "random").length;
  counts.random += random;
  counts.mined += chosen.negatives.length - random;
  counts.duplicates += candidates.duplicates;
  counts.likely_positives += chosen.likelyPositives;
  counts.unscored += chosen.unscored;
  if (chosen.negatives.length < perQuery) counts.short += 1;
}

function draftsOf({ query, candidates }: Choice, { from, perQuery, random }: ChooseOptions): Draft[] {
  const empty = () => ({ query, taken: [], likelyPositives: 0, unscored: 0 });
  return [
    { ...empty(), source: from, waiting: [...candidates.ranked], wanted: perQuery - random },
    { ...empty(), source: "random", waiting: [...candidates.random], wanted: random },
  ];
}

function asIs({ source }: Draft): (candidate: Candidate) => Negative {
  return (candidate) => ({ ...candidate, source });
}

/** The probability from which on a candidate is a likely positive, by query; undefined where no positive has a score. */
async function limits(
  choices: readonly Choice[],
  base: BaseScores,
  maxShare: number,
): Promise<Map<MineQuery, number | undefined>> {
  const scores = await base.score(choices.map(({ query }) => ({ query, passages: positivesOf(query) })));
  return new Map(
    choices.map(({ query }, at) => {
      const known = (scores[at] ?? []).filter((score) => score !== undefined && !Number.isNaN(score)) as number[];
      return [query, known.length === 0 ? undefined : maxShare * sigmoid(Math.max(...known))];
    }),
  );
}

async function fill(
  drafts: readonly Draft[],
  base: BaseScores,
  limit: ReadonlyMap<MineQuery, number | undefined>,
): Promise<void> {
  for (;;) {
    const asked = drafts
      .map((draft) => ({ draft, passages: draft.waiting.splice(0, draft.wanted - draft.taken.length) }))
      .filter(({ passages }) => passages.length > 0);
    if (asked.length === 0) return;
    const scores = await base.score(asked.map(({ draft: { query }, passages }) => ({ query, passages })));
    for (const [at, { draft, passages }] of asked.entries())
      for (const [place, candidate] of passages.entries())
        decide(draft, candidate, scores[at]?.[place], limit.get(draft.query));
  }
}

function decide(draft: Draft, candidate: Candidate, score: number | undefined, limit: number | undefined): void {
  if (score === undefined || limit === undefined) draft.unscored += 1;
  // Not `>=`: a score that is not a number clears nobody.
  else if (sigmoid(score) < limit) draft.taken.push({ ...candidate, source: draft.source, base_score: score });
  else draft.likelyPositives += 1;
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
