import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Corpus, corpusFile } from "../../../../src/data-tools/mine/corpus.js";
import { Pace } from "../../../../src/data-tools/mine/pace.js";
import { folderPerTest } from "../../../helpers/folder-per-test.js";
import { corpusOf, mineContext } from "../../../helpers/mining.js";

const folder = folderPerTest();
const pace = new Pace(mineContext());

async function open(content: string | Buffer, name = "passages.jsonl"): Promise<Corpus> {
  const file = join(folder(), name);
  await writeFile(file, content);
  return await Corpus.open(file, folder(), pace);
}

async function all(corpus: Corpus, from = 0): Promise<[number, string, string][]> {
  const found: [number, string, string][] = [];
  for await (const { index, id, text } of corpus.passages(from)) found.push([index, id, text]);
  return found;
}

const MIXED =
  '\uFEFF{"_id": "a", "title": " Titel ", "text": " über "}\r\n\r\n{"id": 7, "text": "日本語 and more"}\n{"_id": "e", "text": "  "}\n{"text": "without id"}';

describe("a corpus on disk", () => {
  test("has ids of three kinds, title before text, and leaves rows without text out", async () => {
    const corpus = await open(MIXED);
    expect(await all(corpus)).toEqual([
      [0, "a", "Titel über"],
      [1, "7", "日本語 and more"],
      [2, "c3", "without id"],
    ]);
    expect(corpus.counts).toEqual({ passages: 3, empty: 1, encoding: 0 });
    corpus.close();
  });

  test("gives every passage by number as it gives them in order, across the pieces a file is read in", async () => {
    const texts = Array.from({ length: 5000 }, (_, index) => `${"ä".repeat(index % 400)} passage ${index}`);
    const corpus = await corpusOf(folder(), texts);
    const streamed = await all(corpus);
    expect(streamed.map(([, , text]) => text)).toEqual(texts.map((text) => text.trim()));
    for (const index of [0, 1, 2047, 4095, 4096, 4999])
      expect(corpus.read(index)).toEqual({ id: `p${index}`, text: streamed[index]?.[2] });
    corpus.close();
  });

  test("can be streamed from any passage on", async () => {
    const corpus = await open(MIXED);
    expect(await all(corpus, 1)).toEqual((await all(corpus)).slice(1));
    expect(await all(corpus, 3)).toEqual([]);
    corpus.close();
  });

  test("may be packed", async () => {
    const corpus = await open(gzipSync(MIXED), "passages.jsonl.gz");
    expect(corpus.read(1)).toEqual({ id: "7", text: "日本語 and more" });
    corpus.close();
  });

  test("counts rows with bytes that are not UTF-8", async () => {
    const corpus = await open(Buffer.concat([Buffer.from('{"text": "caf'), Buffer.from([0xe9]), Buffer.from('"}\n')]));
    expect(corpus.counts.encoding).toBe(1);
    corpus.close();
  });

  test("with broken rows is refused with the line of each", async () => {
    const rows = ['{"text": "fine"}', "not JSON", "[]", '{"_id": "x"}'];
    await expect(open(rows.join("\n"))).rejects.toMatchObject({
      code: "DATA_INVALID",
      problems: [
        { line: 2, message: "is not JSON" },
        { line: 3, message: "is not a JSON object" },
        { line: 4, message: "has no `text`" },
      ],
    });
  });

  test("without a passage or torn in its packing is refused", async () => {
    await expect(open("\n\n")).rejects.toMatchObject({ code: "DATA_INVALID" });
    await expect(open(gzipSync(MIXED).subarray(0, 40), "torn.jsonl.gz")).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringContaining("torn.jsonl.gz"),
    });
  });

  test("is found in a BEIR folder, and its absence is told", async () => {
    await writeFile(join(folder(), "corpus.jsonl.gz"), "");
    expect(await corpusFile(folder())).toBe(join(folder(), "corpus.jsonl.gz"));
    await expect(corpusFile(join(folder(), "nowhere"))).rejects.toMatchObject({ code: "DATA_NOT_FOUND" });
  });

  test("stops when the run is asked to", async () => {
    const rows = Array.from({ length: 5000 }, (_, index) => `{"text": "p${index}"}`).join("\n");
    await writeFile(join(folder(), "long.jsonl"), rows);
    const stopping = new Pace(mineContext(({ type }) => type === "progress"));
    await expect(Corpus.open(join(folder(), "long.jsonl"), folder(), stopping)).rejects.toMatchObject({
      code: "INTERRUPTED",
      hint: expect.stringContaining("--resume"),
    });
  });
});
