// Which pairs go through the model together: pairs of like length, so that little is padding. Pure planning.
import type { Provider } from "./messages.js";
import type { EncodedPair } from "./tokenizer.js";

/**
 * Tokens of a batch, padding included. On CPU more only adds padding and cache misses: 6 x 384, 240 pairs of 71 tokens, two
 * cores, best of 4 interleaved rounds on a busy machine, thousand tokens a second at 256, 512, 1024, 2048, 4096, 8192 tokens a
 * batch: 10.7, 11.4, 11.0, 9.9, 5.2, 3.6. The figure for a GPU is a guess: no GPU was measured.
 */
export const BATCH_TOKENS: Record<Provider, number> = { cpu: 1024, cuda: 16_384 };

/**
 * Groups positions of `pairs` into batches within `budget` tokens, longest first: the largest batch comes first and sizes
 * ONNX Runtime's memory once. A pair longer than the budget gets a batch of its own.
 */
export function planBatches(pairs: readonly EncodedPair[], budget: number): number[][] {
  const length = (position: number) => (pairs[position] as EncodedPair).ids.length;
  const order = pairs
    .map((_, position) => position)
    .sort((left, right) => length(right) - length(left) || left - right);
  const batches: number[][] = [];
  let current: number[] = [];
  for (const position of order) {
    const width = length(current[0] ?? position);
    if (current.length > 0 && (current.length + 1) * width > budget) {
      batches.push(current);
      current = [];
    }
    current.push(position);
  }
  if (current.length > 0) batches.push(current);
  return batches;
}

/** A batch as flat arrays that cross the process border cheaply. `width` may add padding; it is at least the longest row. */
export function packBatch(
  pairs: readonly EncodedPair[],
  width = 0,
): { ids: Int32Array; typeIds: Uint8Array; lengths: Int32Array; width: number } {
  const lengths = Int32Array.from(pairs, (pair) => pair.ids.length);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const ids = new Int32Array(total);
  const typeIds = new Uint8Array(total);
  let offset = 0;
  for (const pair of pairs) {
    ids.set(pair.ids, offset);
    typeIds.set(pair.typeIds, offset);
    offset += pair.ids.length;
  }
  return { ids, typeIds, lengths, width: Math.max(width, ...lengths) };
}
