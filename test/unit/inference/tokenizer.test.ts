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
interface Kind {
  kind: string;
  tokenizer: Record<string, unknown>;
  cases: Case[];
}

const fixture = JSON.parse(await readFile(new URL("../../fixtures/tokenizers.json", import.meta.url), "utf8")) as {
  kinds: Kind[];
};
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tokenizer-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function open(tokenizer: unknown, config: unknown = {}): Promise<PairTokenizer> {
  const place = await mkdtemp(join(folder, "model-"));
  await writeFile(join(place, "tokenizer.json"), JSON.stringify(tokenizer));
  await writeFile(join(place, "config.json"), JSON.stringify(config));
  return loadTokenizer(place);
}

describe.each(fixture.kinds)("the tokenizer of a $kind model", ({ tokenizer, cases }) => {
  test("gives the ids of the Rust library, truncated pairs and empty texts included", async () => {
    const opened = await open(tokenizer);
    const wrong = cases.filter(
      (item) => opened.encodePair(item.query, item.passage, item.max_length).ids.join() !== item.ids.join(),
    );
    expect(wrong.map(({ query, passage, max_length }) => ({ query, passage, max_length }))).toEqual([]);
  });

  test("gives the segments of the Rust library", async () => {
    const opened = await open(tokenizer);
    for (const item of cases)
      expect(opened.encodePair(item.query, item.passage, item.max_length).typeIds).toEqual(item.type_ids);
  });

  test("says which pairs it truncated", async () => {
    const opened = await open(tokenizer);
    expect(opened.encodePair("a", "b", 64).truncated).toBe(false);
    expect(opened.encodePair("a", "b ".repeat(100), 64).truncated).toBe(true);
  });

  test("encodes groups as it encodes their pairs one by one", async () => {
    const opened = await open(tokenizer);
    const group = { query: "deadline", passages: ["two weeks", "two weeks", "", "a patient"] };
    const [encoded] = [...opened.encodeGroups([group], 16)];
    expect(encoded).toEqual(group.passages.map((passage) => opened.encodePair(group.query, passage, 16)));
  });
});

describe("a pair template", () => {
  const kind = fixture.kinds.find((item) => item.kind === "bert") as Kind;
  const special = { cls: 2, sep: 3 };

  test("of BertProcessing equals the written-out template", async () => {
    const written = await open(kind.tokenizer);
    const builtIn = await open({
      ...kind.tokenizer,
      post_processor: { type: "BertProcessing", cls: ["[CLS]", special.cls], sep: ["[SEP]", special.sep] },
    });
    expect(builtIn.encodePair("the court", "a patient", 32)).toEqual(written.encodePair("the court", "a patient", 32));
  });

  test("inside a Sequence is found", async () => {
    const nested = await open({
      ...kind.tokenizer,
      post_processor: { type: "Sequence", processors: [{ type: "ByteLevel" }, kind.tokenizer.post_processor] },
    });
    expect(nested.encodePair("the court", "a patient", 32)).toEqual(
      (await open(kind.tokenizer)).encodePair("the court", "a patient", 32),
    );
  });

  test("of an unknown kind is refused by name", async () => {
    await expect(open({ ...kind.tokenizer, post_processor: { type: "Novel" } })).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining("Novel"),
    });
  });
});

describe("a model folder", () => {
  test("without tokenizer.json is refused", async () => {
    await expect(loadTokenizer(join(folder, "nowhere"))).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  });

  test("gives the padding id of its config", async () => {
    const kind = fixture.kinds[0] as Kind;
    expect((await open(kind.tokenizer, { pad_token_id: 1 })).padId).toBe(1);
  });
});
