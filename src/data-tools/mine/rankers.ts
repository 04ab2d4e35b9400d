// Ranks the corpus for all queries by whoever was asked for and keeps the lists on disk, a block of queries at a time.
import { join } from "node:path";
import { canonicalJson, hashText } from "../../artifacts/hash.js";
import { Embedder } from "../../inference/embedder.js";
import { rankByBm25 } from "./bm25-ranking.js";
import type { Corpus } from "./corpus.js";
import { embedCorpus } from "./embedding-file.js";
import { rankByVectors } from "./embedding-ranking.js";
import { appendDurably, keepWholeLines } from "./lines-file.js";
import { graphOf } from "./model-files.js";
import type { EmbeddingOptions, MineContext, MineOptions } from "./options.js";
import type { Pace } from "./pace.js";
import type { MineQuery } from "./queries.js";
import { rankByRun } from "./run-ranking.js";
import type { RankedList } from "./top-ranked.js";
import type { Identity } from "./work-folder.js";

export interface RankJob {
  folder: string;
  queries: readonly MineQuery[];
  corpus: Corpus;
  identity: Identity;
  options: MineOptions;
  context: MineContext;
  pace: Pace;
}

interface Ranker {
  rank(queries: readonly MineQuery[], depth: number): Promise<RankedList[]>;
  close(): Promise<void>;
}

/** Lists of the queries that want negatives, one JSON object a line. */
export const RANKED_FILE = "ranked.jsonl";
/** BM25 and runs read the whole corpus for each block: this many places of 12 bytes, 20,000 queries to rank 100. */
const BLOCK_PLACES = 2_000_000;
/** As many query vectors as stay in a processor's cache: 256 of 384 dimensions are 400 KB. */
const VECTOR_BLOCK = 256;

/** Ranks what an earlier run left unranked, a block of queries at a time. @returns the file of lists, in the order of `queries`. */
export async function rankAll(job: RankJob): Promise<string> {
  const { folder, queries, options } = job;
  const file = join(folder, RANKED_FILE);
  const block = options.from === "embedding" ? VECTOR_BLOCK : Math.ceil(BLOCK_PLACES / options.ranks.last);
  const whole = await keepWholeLines(file, 1);
  const done = whole === queries.length ? whole : await keepWholeLines(file, block);
  if (done === queries.length) {
    await appendDurably(file, ""); // no query at all leaves an empty file, not a missing one
    return file;
  }
  const ranker = await openRanker(job);
  try {
    for (let first = done; first < queries.length; first += block) {
      const lists = await ranker.rank(queries.slice(first, first + block), options.ranks.last);
      await appendDurably(file, lists.map((list) => `${JSON.stringify(list)}\n`).join(""));
    }
  } finally {
    await ranker.close();
  }
  return file;
}

async function openRanker(job: RankJob): Promise<Ranker> {
  const { corpus, options, pace } = job;
  if (options.from === "embedding") return await embeddingRanker(job, options.embedding as EmbeddingOptions);
  const close = async () => undefined;
  if (options.from === "run") {
    const rank: Ranker["rank"] = (queries, depth) =>
      rankByRun(
        options.run as string,
        corpus,
        queries.map(({ id }) => id),
        depth,
        pace,
      );
    return { rank, close };
  }
  const rank: Ranker["rank"] = (queries, depth) =>
    rankByBm25(
      corpus,
      queries.map(({ text }) => text),
      depth,
      pace,
    );
  return { rank, close };
}

async function embeddingRanker(
  { folder, corpus, identity, context, pace }: RankJob,
  options: EmbeddingOptions,
): Promise<Ranker> {
  const embedder = await Embedder.start({
    folder: options.folder,
    modelFile: graphOf(options.folder, "--embedding-model"),
    signal: context.signal,
    ...(options.pooling === undefined ? {} : { pooling: options.pooling }),
    ...(context.processFile === undefined ? {} : { processFile: context.processFile }),
  });
  const decides = [identity.corpus, identity["embedding model"], embedder.pooling, options.passagePrefix];
  const store = options.store ?? join(folder, "embeddings");
  const embed = embedder.embed.bind(embedder);
  try {
    const file = await embedCorpus(corpus, store, hashText(canonicalJson(decides)), embed, options.passagePrefix, pace);
    return {
      rank: async (queries, depth) => {
        const { vectors } = await embed(queries.map(({ text }) => options.queryPrefix + text));
        pace.phase("rank passages by their vectors");
        return await rankByVectors(file, corpus.size, vectors, depth, pace);
      },
      close: () => embedder.close(),
    };
  } catch (error) {
    await embedder.close();
    throw error;
  }
}
