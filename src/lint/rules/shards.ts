// Rules on weights in several files: the index and the files must say the same.
import { isObject } from "../../artifacts/json-value.js";
import { type FolderFacts, objectIn } from "../facts.js";
import { hasTensors, tensorsOf } from "../model-facts.js";
import { type Found, type Rule, TORCH } from "../rule.js";
import { INDEX, named, SAFETENSORS } from "./weights.js";

/** File by tensor, as the index says. */
function indexed(facts: FolderFacts): Map<string, string> {
  const map = objectIn(facts, INDEX)?.weight_map;
  if (facts.files.has("model.safetensors") || !isObject(map)) return new Map();
  return new Map(Object.entries(map).map(([tensor, file]) => [tensor, String(file)]));
}

export const shardMissing: Rule = {
  id: "shard_missing",
  severity: "error",
  about: "The index names files, and all of them must be there with the tensors it says.",
  source: "TEI backends/candle/src/lib.rs, sharded weights; transformers modeling_utils.py",
  consumers: TORCH,
  check: (facts) => {
    const map = indexed(facts);
    const shards = [...new Set(map.values())];
    const found: Found[] = shards
      .filter((file) => !facts.files.has(file))
      .map((file) => ({ file, message: `is missing, and ${INDEX} names it`, fix: "fetch the folder again" }));
    const there = tensorsOf(facts);
    const absent = [...map.keys()].filter((tensor) => !there.has(tensor));
    // Which shard a tensor lies in is nothing to anyone: all are read.
    if (found.length === 0 && absent.length > 0 && hasTensors(facts))
      found.push({
        file: INDEX,
        message: `names ${absent.length} tensors that no shard has, such as ${absent[0]}`,
        fix: "fetch the folder again",
      });
    return found;
  },
};

export const shardUnlisted: Rule = {
  id: "shard_unlisted",
  severity: "warning",
  about: "A file of weights that the index does not name is loaded by nobody.",
  source: "transformers modeling_utils.py, get_checkpoint_shard_files",
  consumers: [],
  check: (facts) => {
    const map = indexed(facts);
    const listed = new Set(map.values());
    if (map.size === 0)
      return named(facts, /^model-\d+-of-\d+\.safetensors$/)
        .slice(0, 1)
        .flatMap((file) => {
          const single = facts.files.has("model.safetensors");
          return [
            {
              file,
              message: single ? "is a shard beside a whole model.safetensors" : `is a shard, and there is no ${INDEX}`,
              fix: single ? "remove the shards" : "fetch the folder again, the index too",
              ...(single ? {} : { severity: "error" as const, consumers: TORCH }),
            },
          ];
        });
    return named(facts, SAFETENSORS)
      .filter((file) => !listed.has(file))
      .map((file) => ({ file, message: `is not named by ${INDEX}`, fix: "remove it, or write the index again" }));
  },
};
