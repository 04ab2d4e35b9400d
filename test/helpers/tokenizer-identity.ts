// What Rust made of the hostile texts, recorded by test/fixtures/make_tokenizer_identity.py, against what ours makes of them.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { ExactTokenizer, type TokenizerJson } from "../../src/tokenization/exact-tokenizer.js";
import { hostileTexts } from "./hostile-texts.js";

export const recorded = JSON.parse(
  await readFile(new URL("../fixtures/tokenizer_identity.json", import.meta.url), "utf8"),
) as {
  seed: number;
  block: number;
  sha256_of_tokenizer: string;
  true: string[];
  tiny: Record<string, string[]>;
  normalizer: { context: string; sha256: string }[];
};

export function exactTokenizer(json: TokenizerJson): ExactTokenizer {
  const tokenizer = ExactTokenizer.from(json);
  if (tokenizer === undefined) throw new Error("this tokenizer is not one of ours");
  return tokenizer;
}

/** Numbers of the blocks of texts that have other ids than in Rust. */
export function differingBlocks(json: TokenizerJson, digests: readonly string[]): number[] {
  const tokenizer = exactTokenizer(json);
  const texts = hostileTexts(digests.length * recorded.block, recorded.seed);
  return digests.flatMap((digest, block) => {
    const hash = createHash("sha256");
    for (let index = 0; index < recorded.block; index++) {
      const ids = tokenizer.encode(texts.next().value as string);
      hash.update(Int32Array.of(ids.length, ...ids));
    }
    return hash.digest("hex") === digest ? [] : [block];
  });
}
