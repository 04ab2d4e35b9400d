// Exact nearest passages by dot product: the file of vectors is read block by block, no index is built. Pure reading and arithmetic.
import { open } from "node:fs/promises";
import type { EmbeddingFile } from "./embedding-file.js";
import type { Pace } from "./pace.js";
import { type RankedList, TopRanked } from "./top-ranked.js";

/** Bytes of vectors read at once. */
const BLOCK_BYTES = 8 << 20;
/** Rows scored between two turns for signals, even: 256 queries of 384 dimensions take about a tenth of a second. */
const TURN_ROWS = 2048;
/** Queries whose sums run side by side. */
const LANES = 4;

/**
 * The best `depth` passages of each query by dot product, best first; equal scores keep the order of the corpus.
 * Time grows with passages x queries x dimensions: 1 to 2 thousand million multiplications a second on one core of a busy
 * machine (one row by one query made 0.3 to 0.4), so that a million passages of 384 dimensions take 1 to 2 minutes for 256 queries.
 * @param vectors of the queries, shape [queries, dimensions], row by row.
 */
export async function rankByVectors(
  { file, dimensions }: EmbeddingFile,
  passages: number,
  vectors: Float32Array,
  depth: number,
  pace: Pace,
): Promise<RankedList[]> {
  const queries = vectors.length / dimensions;
  const top = new TopRanked(queries, depth);
  const score = twoRowScorer(interleaved(vectors, dimensions), dimensions, queries);
  const rows = Math.max(2, Math.min(TURN_ROWS, 2 * Math.floor(BLOCK_BYTES / (8 * dimensions))));
  const block = new Float32Array(rows * dimensions);
  const handle = await open(file);
  try {
    for (let first = 0; first < passages; first += rows) {
      const count = Math.min(rows, passages - first);
      await handle.read(new Uint8Array(block.buffer), 0, count * dimensions * 4, first * dimensions * 4);
      for (let row = 0; row < count; row += 2) {
        const scores = score(block, row);
        for (let query = 0; query < queries; query++) top.offer(query, first + row, scores[query] as number);
        if (row + 1 === count) break; // the row behind the last one is left from an earlier block
        const second = scores.length / 2;
        for (let query = 0; query < queries; query++)
          top.offer(query, first + row + 1, scores[second + query] as number);
      }
      await pace.tick(first + count, passages, "passages");
    }
  } finally {
    await handle.close();
  }
  return Array.from({ length: queries }, (_, query) => top.ranked(query));
}

/** Queries four by four with their dimensions side by side, shape [queries / 4, dimensions, 4]; zeros fill the last four up. */
function interleaved(vectors: Float32Array, dimensions: number): Float64Array {
  const queries = vectors.length / dimensions;
  const lanes = new Float64Array(Math.ceil(queries / LANES) * LANES * dimensions);
  for (let query = 0; query < queries; query++) {
    const start = (query - (query % LANES)) * dimensions + (query % LANES);
    for (let axis = 0; axis < dimensions; axis++)
      lanes[start + axis * LANES] = vectors[query * dimensions + axis] as number;
  }
  return lanes;
}

/**
 * Scores of all queries against two neighbouring rows of a block; the result is reused by the next call and has shape
 * [2, queries filled up].
 */
function twoRowScorer(
  lanes: Float64Array,
  dimensions: number,
  queries: number,
): (block: Float32Array, row: number) => Float64Array {
  const filled = Math.ceil(queries / LANES) * LANES;
  const scores = new Float64Array(2 * filled);
  const upper = new Float64Array(dimensions);
  const lower = new Float64Array(dimensions);
  return (block, row) => {
    upper.set(block.subarray(row * dimensions, (row + 1) * dimensions));
    lower.set(block.subarray((row + 1) * dimensions, (row + 2) * dimensions));
    for (let query = 0; query < filled; query += LANES) scoreFour(upper, lower, lanes, query, scores);
    return scores;
  };
}

/**
 * Two rows by four queries. Every sum adds one axis after another, so that it depends on nothing but its two vectors. Eight plain
 * variables and no lists: the loop made a fifth of the speed with `[a, b] = [...]` in it.
 */
function scoreFour(
  upper: Float64Array,
  lower: Float64Array,
  lanes: Float64Array,
  query: number,
  scores: Float64Array,
): void {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let e = 0;
  let f = 0;
  let g = 0;
  let h = 0;
  for (let axis = 0, at = query * upper.length; axis < upper.length; axis++, at += LANES) {
    const up = upper[axis] as number;
    const low = lower[axis] as number;
    const first = lanes[at] as number;
    const next = lanes[at + 1] as number;
    const third = lanes[at + 2] as number;
    const fourth = lanes[at + 3] as number;
    a += up * first;
    b += up * next;
    c += up * third;
    d += up * fourth;
    e += low * first;
    f += low * next;
    g += low * third;
    h += low * fourth;
  }
  const second = scores.length / 2 + query;
  scores[query] = a;
  scores[query + 1] = b;
  scores[query + 2] = c;
  scores[query + 3] = d;
  scores[second] = e;
  scores[second + 1] = f;
  scores[second + 2] = g;
  scores[second + 3] = h;
}
