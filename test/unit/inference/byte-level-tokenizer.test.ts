import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadTokenizer, type PairTokenizer } from "../../../src/inference/tokenizer.js";

interface Case {
  query: string;
  passage: string;
  max_length: number;
  ids: number[];
  type_ids: number[];
}

const fixture = JSON.parse(
  await readFile(new URL("../../fixtures/byte-level-tokenizer.json", import.meta.url), "utf8"),
) as { tokenizer: { added_tokens: { id: number; content: string }[] }; cases: Case[] };

let folder: string;
let tokenizer: PairTokenizer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "byte-level-"));
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(fixture.tokenizer));
  await writeFile(join(folder, "config.json"), JSON.stringify({ pad_token_id: id("[PAD]") }));
  tokenizer = await loadTokenizer(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const id = (content: string) => fixture.tokenizer.added_tokens.find((token) => token.content === content)?.id as number;

describe("a byte-level BPE tokenizer with ModernBERT's added tokens and template", () => {
  test("gives the ids and segments of the Rust library, truncated pairs and empty texts included", () => {
    const wrong = fixture.cases.flatMap((item) => {
      const { ids, typeIds } = tokenizer.encodePair(item.query, item.passage, item.max_length);
      const same = ids.join() === item.ids.join() && typeIds.join() === item.type_ids.join();
      return same ? [] : [{ query: item.query, passage: item.passage, ids: ids.join(), rust: item.ids.join() }];
    });
    expect(wrong).toEqual([]);
  });

  test("puts [CLS] first and [SEP] behind both texts, and pads with the id of the config", () => {
    const { ids, typeIds } = tokenizer.encodePair("a", "b", 64);
    expect([ids[0], ids[2], ids[4]]).toEqual([id("[CLS]"), id("[SEP]"), id("[SEP]")]);
    expect([ids.length, new Set(typeIds).size, tokenizer.padId]).toEqual([5, 1, id("[PAD]")]);
  });

  test("takes runs of spaces as the tokens that stand for them", () => {
    expect(tokenizer.tokenize("a    b").ids).toContain(id("    "));
  });
});
