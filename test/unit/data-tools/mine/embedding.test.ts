import { readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Embed, embedCorpus } from "../../../../src/data-tools/mine/embedding-file.js";
import { rankByVectors } from "../../../../src/data-tools/mine/embedding-ranking.js";
import { Pace } from "../../../../src/data-tools/mine/pace.js";
import { folderPerTest } from "../../../helpers/folder-per-test.js";
import { corpusOf, mineContext } from "../../../helpers/mining.js";

const folder = folderPerTest();
const DIMENSIONS = 7;

/** A vector that depends on every character of the text; keeps what it was asked for. */
function fakeEmbedder(): { embed: Embed; asked: string[][] } {
  const asked: string[][] = [];
  const embed: Embed = async (texts) => {
    asked.push([...texts]);
    return { vectors: Float32Array.from(texts.flatMap(vectorOf)), dimensions: DIMENSIONS };
  };
  return { embed, asked };
}

function vectorOf(text: string): number[] {
  return Array.from({ length: DIMENSIONS }, (_, axis) =>
    Array.from(text).reduce((sum, character, at) => sum + Math.sin(character.charCodeAt(0) * (axis + 1) + at), 0),
  );
}

const TEXTS = Array.from({ length: 1300 }, (_, index) => `passage ${(index * 7919) % 1300}`);
const store = () => join(folder(), "vectors");

describe("the vectors of a corpus", () => {
  test("lie in the file row by row, with the prefix before each text", async () => {
    const corpus = await corpusOf(folder(), TEXTS);
    const { embed, asked } = fakeEmbedder();
    const { file, dimensions } = await embedCorpus(
      corpus,
      store(),
      "model",
      embed,
      "passage: ",
      new Pace(mineContext()),
    );
    expect(dimensions).toBe(DIMENSIONS);
    expect(asked.map(({ length }) => length)).toEqual([512, 512, 276]);
    const expected = Float32Array.from(TEXTS.flatMap((text) => vectorOf(`passage: ${text}`)));
    expect(Buffer.compare(await readFile(file), Buffer.from(expected.buffer))).toBe(0);
    corpus.close();
  });

  test("are continued after an interruption at a whole segment, with the same bytes", async () => {
    const corpus = await corpusOf(folder(), TEXTS);
    const whole = await embedCorpus(
      corpus,
      join(folder(), "whole"),
      "m",
      fakeEmbedder().embed,
      "",
      new Pace(mineContext()),
    );
    const stopping = new Pace(mineContext((event) => event.type === "progress" && event.completed === 1024));
    await expect(embedCorpus(corpus, store(), "m", fakeEmbedder().embed, "", stopping)).rejects.toMatchObject({
      code: "INTERRUPTED",
    });
    // A torn row, as a power cut would leave it.
    await truncate(join(store(), "embeddings.f32"), 600 * DIMENSIONS * 4 + 3);
    const { embed, asked } = fakeEmbedder();
    const { file } = await embedCorpus(corpus, store(), "m", embed, "", new Pace(mineContext()));
    expect(asked.map(([first]) => first)).toEqual([TEXTS[512], TEXTS[1024]]);
    expect(Buffer.compare(await readFile(file), await readFile(whole.file))).toBe(0);
    corpus.close();
  });

  test("are not made again, and never taken for those of another model", async () => {
    const corpus = await corpusOf(folder(), TEXTS.slice(0, 5));
    await embedCorpus(corpus, store(), "model A", fakeEmbedder().embed, "", new Pace(mineContext()));
    const { embed, asked } = fakeEmbedder();
    await embedCorpus(corpus, store(), "model A", embed, "", new Pace(mineContext()));
    expect(asked).toEqual([]);
    await expect(embedCorpus(corpus, store(), "model B", embed, "", new Pace(mineContext()))).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("another corpus, model"),
    });
    corpus.close();
  });

  test("that are not finite stop the run instead of ranking at random", async () => {
    const corpus = await corpusOf(folder(), ["a"]);
    const broken: Embed = async () => ({ vectors: Float32Array.from([1, Number.NaN]), dimensions: 2 });
    await expect(embedCorpus(corpus, store(), "m", broken, "", new Pace(mineContext()))).rejects.toMatchObject({
      code: "SCORER_FAILED",
    });
    corpus.close();
  });
});

describe("ranking by vectors", () => {
  test("is that of every single dot product, in blocks of any size", async () => {
    const corpus = await corpusOf(
      folder(),
      Array.from({ length: 4999 }, (_, index) => `text ${index} of many`),
    );
    const { embed } = fakeEmbedder();
    const pace = new Pace(mineContext());
    const file = await embedCorpus(corpus, store(), "m", embed, "", pace);
    const queries = ["text 77", "many", "nothing alike", "text 4998 of many", "of"];
    const { vectors } = await embed(queries);
    const lists = await rankByVectors(file, corpus.size, vectors, 12, pace);
    const rows = new Float32Array(Uint8Array.from(await readFile(file.file)).buffer);
    for (const [query, list] of lists.entries()) {
      const scores = Array.from({ length: 4999 }, (_, row) =>
        Array.from({ length: DIMENSIONS }, (_, axis) => axis).reduce(
          (sum, axis) => sum + (rows[row * DIMENSIONS + axis] ?? 0) * (vectors[query * DIMENSIONS + axis] ?? 0),
          0,
        ),
      );
      const best = [...scores].sort((left, right) => right - left).slice(0, 12);
      for (const [place, score] of list.scores.entries()) {
        expect(score).toBeCloseTo(best[place] as number, 9);
        expect(score).toBeCloseTo(scores[list.passages[place] as number] as number, 9);
      }
      expect(list.scores).toHaveLength(12);
    }
    corpus.close();
  });
});
