// From the output of an embedding model to one unit vector a text. Pure arithmetic; runs inside the child process.
import type { Pooling } from "./messages.js";

/** Names of sentence-transformers exports, token vectors first: pooling them ourselves is the same for every model. */
const KNOWN_OUTPUTS = ["last_hidden_state", "token_embeddings", "sentence_embedding"];

/** The output to read; the first one of a graph that names none of the usual. */
export function embeddingOutput(names: readonly string[]): string {
  const found = KNOWN_OUTPUTS.find((name) => names.includes(name)) ?? names[0];
  if (found === undefined) throw new Error("the graph has no output");
  return found;
}

/**
 * Pools token vectors and scales each result to length 1, so that a dot product is the cosine.
 * @param data shape [rows, width, dimensions] of token vectors, or [rows, dimensions] when the graph pooled already.
 * @param lengths real tokens of each row; what lies behind them is padding.
 * @returns rows x dimensions, row by row. A vector of zeros stays one.
 * @throws Error for any other shape.
 */
export function unitVectors(
  data: Float32Array,
  shape: readonly number[],
  { lengths, pooling }: { lengths: Int32Array; pooling: Pooling },
): { vectors: Float32Array; dimensions: number } {
  const [rows = 0, width = 0, depth] = shape;
  if (rows !== lengths.length || shape.length < 2 || shape.length > 3)
    throw new Error(`the output has the shape [${shape.join(", ")}] for ${lengths.length} texts`);
  const dimensions = depth ?? width;
  const vectors = new Float32Array(rows * dimensions);
  for (let row = 0; row < rows; row++) {
    const tokens = depth === undefined || pooling === "cls" ? 1 : (lengths[row] as number);
    const sums = new Float64Array(dimensions);
    const start = row * (depth === undefined ? 1 : width) * dimensions;
    for (let at = 0; at < tokens * dimensions; at++)
      sums[at % dimensions] = (sums[at % dimensions] as number) + (data[start + at] as number);
    // Dividing by the number of tokens would change nothing: the length becomes 1 anyway.
    const norm = Math.sqrt(sums.reduce((sum, value) => sum + value * value, 0));
    for (let at = 0; at < dimensions; at++) vectors[row * dimensions + at] = (sums[at] as number) / (norm || 1);
  }
  return { vectors, dimensions };
}
