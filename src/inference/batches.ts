// Which pairs go through the model together: pairs of like length, so that little is padding. Pure planning.
import type { Provider } from "./messages.js";
import type { EncodedPair } from "./tokenizer.js";

/**
 * Tokens of a batch, padding included. On CPU more than about a thousand only adds padding and cache misses
 * (bench/results/node_vs_python: 512 to 1024 fastest at 6 x 384 on two cores); a GPU wants to be filled.
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
