// Which passages may become negatives of one query at all: ranks and random draws, without anything that says what a judged passage says.
import { hashText } from "../../artifacts/hash.js";
import { Clusters, joinNearDuplicates } from "../../dataset/near-duplicates.js";
import { seededIntegers } from "../../ranking/random.js";
import type { Corpus } from "./corpus.js";
import type { MineOptions } from "./options.js";
import type { MineQuery } from "./queries.js";
import type { RankedList } from "./top-ranked.js";

export interface Candidate {
  id: string;
  text: string;
  /** 1-based rank and score of whoever ranked it; absent for a random passage. */
  rank?: number;
  score?: number;
}

export interface Candidates {
  /** In the order of their ranks. */
  ranked: Candidate[];
  /** In the order they were drawn; more than are needed, because the base may refuse some. */
  random: Candidate[];
  duplicates: number;
}

/** Random passages drawn for each that is wanted. */
const SPARE = 4;

/** Passages of the rank window and random ones outside the ranking; near-duplicates of judged passages and of one another are left out. */
export function candidatesOf(
  query: MineQuery,
  list: RankedList,
  corpus: Corpus,
  options: Pick<MineOptions, "ranks" | "random" | "seed">,
): Candidates {
  const ranked = rankWindow(list, corpus, options.ranks);
  const random = randomPassages(query, list, corpus, options);
  const kept = new Set(withoutCopies(query, [...ranked, ...random]));
  return {
    ranked: ranked.filter((candidate) => kept.has(candidate)),
    random: random.filter((candidate) => kept.has(candidate)),
    duplicates: ranked.filter((candidate) => !kept.has(candidate)).length,
  };
}

function rankWindow(list: RankedList, corpus: Corpus, ranks: MineOptions["ranks"]): Candidate[] {
  const found: Candidate[] = [];
  for (let at = ranks.first - 1; at < Math.min(ranks.last, list.passages.length); at++)
    found.push({
      ...corpus.read(list.passages[at] as number),
      rank: at + 1,
      score: list.scores[at] as number,
    });
  return found;
}

/** A stream of its own for each query: what one query draws depends neither on the others nor on where a run was continued. */
function randomPassages(
  query: MineQuery,
  list: RankedList,
  corpus: Corpus,
  { random, seed }: Pick<MineOptions, "random" | "seed">,
): Candidate[] {
  const draw = seededIntegers(Number.parseInt(hashText(`${seed}:mine random:${query.id}`).slice(0, 12), 16));
  // What the ranker returned is hard or relevant, not random.
  const passedOver = new Set(list.passages);
  const found: Candidate[] = [];
  const wanted = random * SPARE;
  // A small corpus may be used up; the number of tries bounds the search.
  for (let tries = 0; found.length < wanted && tries < 10 * wanted; tries++) {
    const passage = draw(corpus.size);
    if (passedOver.has(passage)) continue;
    passedOver.add(passage);
    found.push(corpus.read(passage));
  }
  return found;
}

/** Keeps the first of every cluster of near-duplicates that holds no judged or otherwise relevant passage. */
function withoutCopies(query: MineQuery, candidates: readonly Candidate[]): Candidate[] {
  const known = [...query.judged.map(({ text }) => text), ...query.alsoRelevant];
  const ids = new Set(query.judged.map(({ id }) => id));
  const clusters = new Clusters(known.length + candidates.length);
  joinNearDuplicates([...known, ...candidates.map(({ text }) => text)], clusters);
  const taken = new Set(known.map((_, at) => clusters.find(at)));
  return candidates.filter(({ id }, at) => {
    const cluster = clusters.find(known.length + at);
    // The same id is the same passage, even where its text was edited since.
    if (ids.has(id) || taken.has(cluster)) return false;
    taken.add(cluster);
    return true;
  });
}
