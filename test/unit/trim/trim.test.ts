import { existsSync } from "node:fs";
import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { StageEvent } from "../../../src/events.js";
import { ExactTokenizer, type TokenizerJson } from "../../../src/tokenization/exact-tokenizer.js";
import { type TrimOptions, type TrimReport, trimModel } from "../../../src/trim/index.js";
import { textsOf } from "../../../src/trim/texts.js";
import { folderPerTest } from "../../helpers/folder-per-test.js";
import {
  ROWS,
  readWeights,
  SHARDS,
  TABLE,
  tokenizerOf,
  WIDTH,
  writeShards,
  writeTrimmableModel,
} from "../../helpers/trimmable-model.js";

const folder = folderPerTest();
const place = (...names: string[]) => join(folder(), ...names);

const writeModel = (tokenizer: unknown, config: object = {}) => writeTrimmableModel(place("model"), tokenizer, config);

const CORPUS = ["The court dismissed the appeal.", "a patient with fever", "Die Kündigung bedarf der Schriftform"];

interface Changes extends Omit<Partial<TrimOptions>, "corpus"> {
  /** Files. */
  corpus?: string[];
}

async function trim({ corpus = [place("corpus.jsonl")], ...changes }: Changes = {}): Promise<TrimReport> {
  await writeFile(place("corpus.jsonl"), CORPUS.map((text) => `${JSON.stringify({ _id: "x", text })}\n`).join(""));
  return await trimModel({
    model: place("model"),
    corpus: () => textsOf(corpus),
    languages: [],
    out: place("out"),
    keep: "used",
    signal: new AbortController().signal,
    emit: () => undefined,
    ...changes,
  });
}

async function openTokenizer(name: string): Promise<ExactTokenizer> {
  const json = JSON.parse(await readFile(place(name, "tokenizer.json"), "utf8")) as TokenizerJson;
  return ExactTokenizer.from(json) as ExactTokenizer;
}

describe.each(["xlm-roberta", "bert"])("trimming a %s model", (kind) => {
  test("keeps the table's row of every piece, and all other weights", async () => {
    await writeModel(tokenizerOf(kind));
    const report = await trim();
    const [before, after] = [await openTokenizer("model"), await openTokenizer("out")];
    const found = await readWeights(place("out", "model.safetensors"));
    const { shape, values } = found[TABLE] as {
      shape: number[];
      values: number[];
    };
    expect(shape).toEqual([report.pieces.after, WIDTH]);
    expect(report.pieces.after).toBeLessThan(report.pieces.before);
    for (const text of CORPUS) {
      const rows = after.encode(text).map((id) => values.slice(id * WIDTH, (id + 1) * WIDTH));
      expect(rows).toEqual(before.encode(text).map((id) => [id, id + 0.25, id + 0.5]));
    }
    expect(found["classifier.weight"]?.values).toEqual([7, 8, 9]);
    expect(found["roberta.embeddings.position_embeddings.weight"]?.values).toEqual([1, 2, 3, 4, 5, 6]);
    expect(report).toMatchObject({ texts: 6, left_out: ["sentencepiece.bpe.model"] });
    expect(existsSync(place("out", "sentencepiece.bpe.model"))).toBe(false);
  });

  test("gives special tokens, template and configuration the new ids", async () => {
    const json = tokenizerOf(kind);
    const last = (json.added_tokens ?? []).at(-1) as { id: number; content: string };
    await writeModel(json, { mask_token_id: last.id });
    await writeFile(
      place("model", "tokenizer_config.json"),
      JSON.stringify({ added_tokens_decoder: { [last.id]: { content: last.content } }, model_max_length: 1.0 }),
    );
    const { pieces } = await trim();
    const config = JSON.parse(await readFile(place("out", "config.json"), "utf8"));
    const trimmed = JSON.parse(await readFile(place("out", "tokenizer.json"), "utf8")) as TokenizerJson;
    const renamed = trimmed.added_tokens?.find(({ content }) => content === last.content)?.id;
    expect(config).toMatchObject({ vocab_size: pieces.after, pad_token_id: 1, mask_token_id: renamed });
    const decoder = JSON.parse(await readFile(place("out", "tokenizer_config.json"), "utf8")).added_tokens_decoder;
    expect(decoder).toEqual({ [String(renamed)]: { content: last.content } });
    const ids = JSON.stringify(trimmed.post_processor).match(/"ids":\[(\d+)\]/g);
    expect(ids?.every((text) => Number(/\d+/.exec(text)?.[0]) < pieces.after)).toBe(true);
  });

  test("keeps single characters unless told not to, and says which letters are lost", async () => {
    await writeModel(tokenizerOf(kind));
    const frugal = await trim();
    await rm(place("out"), { recursive: true });
    const careful = await trim({ keep: "characters" });
    expect(careful.pieces.after).toBeGreaterThan(frugal.pieces.after);
    const lost = (report: TrimReport) => report.letters.reduce((sum, script) => sum + script.lost, 0);
    expect([lost(careful), lost(frugal) > 0]).toEqual([0, true]);
  });
});

describe("what stays the same", () => {
  test("a word that WordPiece cannot cut stays unknown, though a shorter piece would let it go on", async () => {
    const vocab = { "[UNK]": 0, "[PAD]": 1, abc: 2, ab: 3, "##cd": 4, x: 5 };
    await writeModel({
      ...tokenizerOf("bert"),
      added_tokens: [],
      post_processor: null,
      model: { type: "WordPiece", unk_token: "[UNK]", vocab },
    });
    await writeFile(place("corpus.txt"), "abcd x ab\ncd");
    const report = await trim({ corpus: [place("corpus.txt")] });
    expect(report).toMatchObject({ texts: 2, tokens: 4 });
    expect((await openTokenizer("out")).encode("abcd")).toEqual([0]);
  });

  test("the price of an unknown character, which hangs on the worst piece", async () => {
    const vocab = [
      ["<unk>", 0],
      ["▁a", -1],
      ["▁", -2],
      ["b", -3],
      ["worst", -90],
    ];
    const model = { type: "Unigram", unk_id: 0, vocab };
    await writeModel({ pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always" }, model });
    await writeFile(place("corpus.txt"), "ab");
    await trim({ corpus: [place("corpus.txt")] });
    const { model: trimmed } = JSON.parse(await readFile(place("out", "tokenizer.json"), "utf8"));
    expect(trimmed.vocab).toEqual([
      ["<unk>", 0],
      ["▁a", -1],
      ["b", -3],
      ["worst", -90],
    ]);
  });
});

describe("weights in shards", () => {
  test("are trimmed one by one and stay shards, with an index that says their new size", async () => {
    await writeModel(tokenizerOf("xlm-roberta"));
    await trim();
    await rm(place("model", "model.safetensors"));
    await writeShards(place("model"));
    const report = await trim({ out: place("again") });
    const whole = await readWeights(place("out", "model.safetensors"));
    const [first, second] = await Promise.all(SHARDS.map((name) => readWeights(place("again", name))));
    expect({ ...first, ...second }).toEqual(whole);
    const index = JSON.parse(await readFile(place("again", "model.safetensors.index.json"), "utf8"));
    const parameters = WIDTH + report.pieces.after * WIDTH + 2 * WIDTH;
    expect(index.metadata).toEqual({ total_parameters: parameters, total_size: 4 * parameters });
    expect(index.weight_map[TABLE]).toBe(SHARDS[1]);
    expect(existsSync(place("again", "model.safetensors"))).toBe(false);
    expect(report.weights.before - report.weights.after).toBeGreaterThan(4 * WIDTH * (ROWS - report.pieces.after) - 64);
  });

  test("that are not all there, cut off, or named outside the folder are refused by name", async () => {
    await writeModel(tokenizerOf("xlm-roberta"));
    await rm(place("model", "model.safetensors"));
    await writeShards(place("model"));
    await truncate(place("model", SHARDS[1]), 1000);
    await expect(trim()).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringMatching(/model-00002-of-00002\.safetensors: has 1000 bytes where/),
    });
    await rm(place("model", SHARDS[1]));
    await expect(trim()).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: expect.stringContaining(SHARDS[1]),
    });
    const index = { weight_map: { [TABLE]: "../model.safetensors" } };
    await writeFile(place("model", "model.safetensors.index.json"), JSON.stringify(index));
    await expect(trim()).rejects.toMatchObject({ code: "MODEL_UNSUPPORTED" });
    expect(existsSync(place("out"))).toBe(false);
  });
});

describe("what is refused", () => {
  test("a folder that exists, and one that lacks a file", async () => {
    await writeModel(tokenizerOf("bert"));
    await expect(trim({ out: folder() })).rejects.toMatchObject({ code: "USAGE" });
    await rm(place("model", "model.safetensors"));
    await expect(trim()).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: expect.stringContaining("model.safetensors"),
    });
  });

  test("a tokenizer of another kind", async () => {
    await writeModel(tokenizerOf("modernbert"));
    await expect(trim()).rejects.toMatchObject({ code: "MODEL_UNSUPPORTED" });
  });

  test("a table with fewer rows than the tokenizer has pieces, without leaving half a folder", async () => {
    await writeModel(tokenizerOf("bert"), { vocab_size: 2 });
    await expect(trim()).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining("2 rows"),
    });
    expect([existsSync(place("out")), existsSync(place("out.partial"))]).toEqual([false, false]);
  });

  test.each([
    ["missing", undefined, "DATA_NOT_FOUND"],
    ["empty", "", "DATA_INVALID"],
    ["not JSON", '{"text": "a"}\n{oops\n', "DATA_INVALID"],
  ])("a corpus that is %s", async (_, text, code) => {
    await writeModel(tokenizerOf("bert"));
    if (text !== undefined) await writeFile(place("c.jsonl"), text);
    await expect(trim({ corpus: [place("c.jsonl")] })).rejects.toMatchObject({ code });
    expect(existsSync(place("out"))).toBe(false);
  });

  test("no line of JSON because of a line separator inside a text, which JSON allows", async () => {
    await writeModel(tokenizerOf("bert"));
    await writeFile(place("c.jsonl"), `${JSON.stringify({ text: "the\u2028court" })}\r\n`);
    expect(await trim({ corpus: [place("c.jsonl")] })).toMatchObject({ texts: 1 });
  });

  test("a gzip file that is cut off; a whole one is read", async () => {
    await writeModel(tokenizerOf("bert"));
    const packed = gzipSync(JSON.stringify({ query: "the court", passages: [{ text: "an appeal" }] }));
    await writeFile(place("c.jsonl.gz"), packed.subarray(0, -9));
    await expect(trim({ corpus: [place("c.jsonl.gz")] })).rejects.toMatchObject({ code: "DATA_INVALID" });
    await writeFile(place("c.jsonl.gz"), packed);
    expect(await trim({ corpus: [place("c.jsonl.gz")] })).toMatchObject({ texts: 2 });
  });

  test("to go on after Ctrl-C", async () => {
    await writeModel(tokenizerOf("bert"));
    await writeFile(place("long.txt"), "a\n".repeat(5000));
    const controller = new AbortController();
    const emit = (event: StageEvent) => {
      if (event.type === "phase") controller.abort(new Error("SIGINT"));
    };
    const trimming = trim({ corpus: [place("long.txt")], signal: controller.signal, emit });
    await expect(trimming).rejects.toMatchObject({ code: expect.stringMatching(/INTERRUPTED|TERMINATED/) });
    expect(existsSync(place("out"))).toBe(false);
  });
});
