import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { TokenizerJson } from "../../../src/tokenization/exact-tokenizer.js";
import { differingBlocks, recorded } from "../../helpers/tokenizer-identity.js";

const { kinds } = JSON.parse(await readFile(new URL("../../fixtures/tokenizers.json", import.meta.url), "utf8")) as {
  kinds: { kind: string; tokenizer: TokenizerJson }[];
};

describe.each(Object.entries(recorded.tiny))(
  "the %s tokenizer on hostile texts in 40 blocks of Unicode",
  (kind, digests) => {
    const json = kinds.find((item) => item.kind === kind)?.tokenizer as TokenizerJson;

    test("has the ids of the Rust library, 20,000 texts", () => {
      expect(differingBlocks(json, digests)).toEqual([]);
    });

    test("has other ids without its normalizer: the texts tell", () => {
      expect(differingBlocks({ ...json, normalizer: null }, digests.slice(0, 2))).toEqual([0, 1]);
    });
  },
);
