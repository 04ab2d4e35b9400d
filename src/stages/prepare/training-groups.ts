// Turns a training query into its group: the judged passages plus mined and random negatives. Never a known positive.
import type { Group, Passage, PassageSource } from "../../dataset/groups.js";
import type { LabelledData, LabelledQuery } from "../../dataset/labelled.js";
import { normalisedKey } from "../../dataset/text.js";
import type { Draw } from "../../ranking/draws.js";
import type { FirstStage } from "./first-stage.js";
import type { PrepareOptions } from "./schema.js";

/** Texts that are relevant to a query or to another query of the same words; a copy under another id is no negative either. */
export type KnownPositives = (query: LabelledQuery) => ReadonlySet<string>;

export function knownPositives(data: LabelledData, queries: readonly LabelledQuery[]): KnownPositives {
  const byQuery = new Map<string, Set<string>>();
  for (const query of queries) {
    const key = normalisedKey(query.text);
    const texts = byQuery.get(key) ?? new Set<string>();
    for (const [passage, { label }] of query.judgements) if (label > 0) texts.add(data.passageTexts[passage] as string);
    byQuery.set(key, texts);
  }
  return (query) => byQuery.get(normalisedKey(query.text)) ?? new Set();
}

/**
 * Judged passages first, then negatives of the first stage below `skip_top`, then random ones, `per_query` negatives in all.
 * @param stage undefined when only judged negatives are wanted.
 * @returns undefined when there is no negative to learn from.
 */
export function trainingGroup(
  data: LabelledData,
  query: LabelledQuery,
  stage: FirstStage | undefined,
  positives: KnownPositives,
  options: PrepareOptions["negatives"],
  draw: Draw,
): Group | undefined {
  const passages: Passage[] = [...query.judgements].map(([passage, judgement]) => ({
    ...described(data, passage, "judged"),
    label: judgement.label,
    ...(judgement.teacher_score === undefined ? {} : { teacher_score: judgement.teacher_score }),
  }));
  const taken = new Set([...positives(query), ...passages.map(({ text }) => text), ""]);
  const wanted = options.per_query - passages.filter(({ label }) => label === 0).length;
  if (stage !== undefined && wanted > 0) {
    const random = Math.min(options.random, wanted);
    passages.push(...mined(data, query, stage, taken, wanted - random, options.skip_top));
    passages.push(...randomPassages(data, taken, random, draw));
  }
  if (passages.every(({ label }) => label > 0)) return undefined;
  return { query_id: query.id, query: query.text, passages, ...(query.lang === undefined ? {} : { lang: query.lang }) };
}

function mined(
  data: LabelledData,
  query: LabelledQuery,
  stage: FirstStage,
  taken: Set<string>,
  wanted: number,
  skipTop: number,
): Passage[] {
  const found: Passage[] = [];
  if (wanted <= 0) return found;
  // Positives and copies are passed over, so a few more are asked for than are wanted.
  const ranked = stage.ranked(query, skipTop + wanted + taken.size) ?? [];
  for (const [at, passage] of ranked.entries()) {
    const text = data.passageTexts[passage] as string;
    if (at < skipTop || found.length === wanted || taken.has(text)) continue;
    taken.add(text);
    found.push({ ...described(data, passage, stage.kind), rank: at + 1 });
  }
  return found;
}

function randomPassages(data: LabelledData, taken: Set<string>, wanted: number, draw: Draw): Passage[] {
  const found: Passage[] = [];
  // A small collection may be used up; the number of tries bounds the search.
  for (let tries = 0; found.length < wanted && tries < 20 * wanted; tries++) {
    const passage = draw(data.passageTexts.length);
    const text = data.passageTexts[passage] as string;
    if (taken.has(text)) continue;
    taken.add(text);
    found.push(described(data, passage, "random"));
  }
  return found;
}

function described(data: LabelledData, passage: number, source: PassageSource): Passage {
  return { id: data.passageIds[passage] as string, text: data.passageTexts[passage] as string, label: 0, source };
}
