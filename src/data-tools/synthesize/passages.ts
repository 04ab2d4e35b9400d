// Draws the passages that queries are written for: the same ones for the same corpus and seed.
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { dataInvalid, dataNotFound } from "../../dataset/findings.js";
import { terms } from "../../dataset/text.js";
import { seededIntegers } from "../../ranking/random.js";
import type { Corpus } from "../mine/corpus.js";

/** A heading or a page number answers no query. */
const FEWEST_WORDS = 5;

export interface DrawnPassages {
  /** Numbers of passages in the corpus, in the order drawn. */
  indices: number[];
  tooShort: number;
}

/** @throws RerankTuneError DATA_NOT_FOUND, said in the words of this command. */
export function checkCorpus(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  const inside = ["corpus.jsonl", "corpus.jsonl.gz"].map((name) => join(path, name));
  if (found?.isDirectory() === true ? inside.some((file) => existsSync(file)) : found !== undefined) return;
  throw dataNotFound(
    found !== undefined ? `${path} has no corpus.jsonl.` : `There is no file or folder ${path}.`,
    'give a JSONL of passages, one a line: {"_id": "p1", "title": "...", "text": "..."}, or a BEIR folder',
  );
}

/**
 * `count` passages at most; those too short are passed over and another one is drawn.
 * @throws RerankTuneError DATA_INVALID when all are too short.
 */
export async function drawPassages(corpus: Corpus, count: number, seed: number): Promise<DrawnPassages> {
  const drawn: DrawnPassages = { indices: [], tooShort: 0 };
  for (const index of permutation(corpus.size, seed)) {
    if (drawn.indices.length === count) break;
    const { text } = await corpus.read(index);
    if (terms(text).length < FEWEST_WORDS) drawn.tooShort += 1;
    else drawn.indices.push(index);
  }
  if (drawn.indices.length === 0)
    throw dataInvalid(
      `No passage of the corpus has ${FEWEST_WORDS} words.`,
      "give whole passages, such as paragraphs or sections; headings answer no query",
    );
  return drawn;
}

/** All whole numbers below `size` in random order (Fisher and Yates), only as far as they are asked for. */
function* permutation(size: number, seed: number): Generator<number> {
  const numbers = Int32Array.from({ length: size }, (_, index) => index);
  const draw = seededIntegers(seed);
  for (let at = 0; at < size; at++) {
    const other = at + draw(size - at);
    const chosen = numbers[other] as number;
    numbers[other] = numbers[at] as number;
    numbers[at] = chosen;
    yield chosen;
  }
}
