// Names of the files that hold weights: which an index of shards names, which may be opened, and which run code. Pure.

/** A name of a file beside the index; anything else could name any file of the machine. */
export const SHARD_NAME = /^[\w.-]+\.safetensors$/;
/** Weights as pickles, which can run code when they are opened. */
export const PICKLE = /\.(bin|pkl|pickle|pt|pth|ckpt)$/;

/**
 * The files that an index of shards names, each once and sorted, plain names or not.
 * @param index what `model.safetensors.index.json` holds.
 * @returns undefined where it has no `weight_map`.
 */
export function shardNames(index: unknown): string[] | undefined {
  const { weight_map: map } = (index ?? {}) as { weight_map?: unknown };
  if (map === null || typeof map !== "object") return undefined;
  return [...new Set(Object.values(map).map(String))].sort();
}
