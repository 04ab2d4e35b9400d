// Whether a score depends on its batch mates or on padding. It must not: a served score would change with the traffic (onnx.md §3).
import type { Scorer } from "../../inference/scorer.js";
import type { EncodedPair } from "../../inference/tokenizer.js";

/** Pairs that share a batch. */
const BATCH = 16;

export interface Invariance {
  /** Largest |change| of a logit between alone and in a batch of 16 mixed lengths. */
  batch: number;
  /** Largest |change| of a logit between no padding and padding up to the maximum length. */
  padding: number;
  pairs: number;
  /** Largest |logit| among them. */
  largest: number;
}

/** Measures on up to 16 pairs spread over the lengths that occur. A logit that is not finite makes the result NaN. */
export async function measureInvariance(
  scorer: Scorer,
  pairs: readonly EncodedPair[],
  maxLength: number,
): Promise<Invariance> {
  const sample = spreadByLength(pairs, BATCH);
  const together = await scorer.scoreBatch(sample);
  let [batch, padding, largest] = [0, 0, 0];
  for (const [index, pair] of sample.entries()) {
    const alone = (await scorer.scoreBatch([pair]))[0] as number;
    const padded = (await scorer.scoreBatch([pair], maxLength))[0] as number;
    batch = larger(batch, Math.abs(alone - (together[index] as number)));
    padding = larger(padding, Math.abs(alone - padded));
    largest = larger(largest, Math.abs(alone));
  }
  return { batch, padding, pairs: sample.length, largest };
}

/**
 * The limit of the invariance gates. fp16 rounds every intermediate value to 11 bits, so a last-bit change of a float32 sum
 * can flip a rounding: two units in the last place of fp16 at the largest logit are allowed (decision 4; measured: half a unit).
 */
export function invarianceLimit(variant: string, largestLogit: number, limit: number): number {
  return variant === "fp16" ? Math.max(limit, largestLogit * 2 ** -9) : limit;
}

/** Up to `count` pairs at even steps of the length order, then shuffled by a fixed stride so that neighbours differ in length. */
export function spreadByLength(pairs: readonly EncodedPair[], count: number): EncodedPair[] {
  const sorted = [...pairs].sort((left, right) => left.ids.length - right.ids.length);
  const size = Math.min(count, sorted.length);
  const spread = Array.from(
    { length: size },
    (_, place) => sorted[Math.floor((place * (sorted.length - 1)) / Math.max(1, size - 1))] as EncodedPair,
  );
  const [even, odd] = [spread.filter((_, place) => place % 2 === 0), spread.filter((_, place) => place % 2 === 1)];
  return [...odd.reverse(), ...even];
}

/** Math.max that lets NaN through. */
function larger(left: number, right: number): number {
  return Number.isNaN(left) || left > right ? left : right;
}
