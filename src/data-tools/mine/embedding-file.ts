// The vectors of a whole corpus in one file of 32-bit floats, row by row: written in segments, continued where a run stopped.
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { acquireLock } from "../../artifacts/lock.js";
import { RerankTuneError } from "../../errors.js";
import type { Corpus } from "./corpus.js";
import { appendDurably, bytesOf } from "./lines-file.js";
import type { Pace } from "./pace.js";

/** Turns texts into unit vectors, shape [texts, dimensions]; the Embedder, or a fake of it. */
export type Embed = (texts: readonly string[]) => Promise<{ vectors: Float32Array; dimensions: number }>;

export interface EmbeddingFile {
  file: string;
  dimensions: number;
}

/** Passages embedded together. A run that continues begins at a multiple, so that batches and with them the bits stay the same. */
const SEGMENT = 512;

/**
 * Embeds what is still missing of the corpus. Four bytes a dimension and passage on disk; one segment in memory.
 * @param folder where embeddings.f32 lies.
 * @param identity what decides the vectors, besides the passages' order: digests of corpus and model, pooling, prefix.
 * @throws RerankTuneError USAGE when the folder holds vectors of something else; FOLDER_IN_USE, SCORER_FAILED, INTERRUPTED, TERMINATED.
 */
export async function embedCorpus(
  corpus: Corpus,
  folder: string,
  identity: string,
  embed: Embed,
  passagePrefix: string,
  pace: Pace,
): Promise<EmbeddingFile> {
  await mkdir(folder, { recursive: true });
  const release = await acquireLock(join(folder, "lock"), { hint: "wait for the other run, or name another folder" });
  try {
    return await embedMissing(corpus, folder, identity, embed, passagePrefix, pace);
  } finally {
    await release();
  }
}

async function embedMissing(
  corpus: Corpus,
  folder: string,
  identity: string,
  embed: Embed,
  passagePrefix: string,
  pace: Pace,
): Promise<EmbeddingFile> {
  const file = join(folder, "embeddings.f32");
  let dimensions = await knownDimensions(folder, identity);
  let done = dimensions === 0 ? 0 : await keepSegments(file, dimensions, corpus.size);
  pace.phase("embed passages");
  let texts: string[] = [];
  const flush = async (): Promise<void> => {
    const { vectors, dimensions: width } = await embed(texts);
    refuseBroken(vectors, done);
    if (dimensions === 0) {
      dimensions = width;
      await writeHead(folder, { identity, dimensions });
      await truncate(file, 0).catch(() => undefined);
    }
    await appendDurably(file, new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength));
    done += texts.length;
    texts = [];
    await pace.tick(done, corpus.size, "passages");
  };
  for await (const { text } of corpus.passages(done)) if (texts.push(passagePrefix + text) === SEGMENT) await flush();
  if (texts.length > 0) await flush();
  return { file, dimensions };
}

interface Head {
  identity: string;
  dimensions: number;
}

async function knownDimensions(folder: string, identity: string): Promise<number> {
  const path = join(folder, "embeddings.json");
  if (!existsSync(path)) return 0;
  const head = JSON.parse(await readFile(path, "utf8")) as Head;
  if (head.identity === identity) return head.dimensions;
  throw new RerankTuneError({
    code: "USAGE",
    message: `${folder} holds the vectors of another corpus, model, pooling or prefix.`,
    hint: "name another folder with --embeddings, or remove this one",
  });
}

async function writeHead(folder: string, head: Head): Promise<void> {
  const path = join(folder, "embeddings.json");
  await writeFile(`${path}.new`, JSON.stringify(head));
  await rename(`${path}.new`, path);
}

/** Cuts the file to whole segments, unless it is complete. @returns the number of passages that stay. */
async function keepSegments(file: string, dimensions: number, total: number): Promise<number> {
  const rows = Math.floor((await bytesOf(file)) / (4 * dimensions));
  if (rows === total) return total;
  const kept = rows - (rows % SEGMENT);
  if (rows > 0) await truncate(file, kept * 4 * dimensions);
  return kept;
}

function refuseBroken(vectors: Float32Array, first: number): void {
  if (vectors.every(Number.isFinite)) return;
  throw new RerankTuneError({
    code: "SCORER_FAILED",
    message: `The embedding model gives vectors that are not finite, among the passages from ${first + 1} on.`,
    hint: "use the fp32 graph of the model: half-precision graphs overflow on some processors",
  });
}
