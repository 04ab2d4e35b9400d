// The round trip: a reranker ranks each query's own passage among BM25 candidates; a query that does not find its way back is worth little.
import { createReadStream } from "node:fs";
import { linesOf } from "../../dataset/lines.js";
import { normalisedKey } from "../../dataset/text.js";
import { rankByBm25 } from "../mine/bm25-ranking.js";
import type { Corpus } from "../mine/corpus.js";
import { Pace } from "../mine/pace.js";
import type { RankedList } from "../mine/top-ranked.js";
import { scoreBlocks } from "../score/blocks.js";
import { PartFile } from "../score/part-file.js";
import type { Teacher } from "../score/teacher.js";
import type { MadeQuery } from "./distinct.js";
import type { SynthesizeContext } from "./options.js";

/** Where the own passage came among the candidates. */
export interface Judged {
  /** 1-based; of equal scores the own one counts as the last. */
  rank: number;
  /** Raw logit of the own passage. */
  score: number;
}

export interface JudgeJob {
  /** Part file of what was judged. */
  file: string;
  queries: readonly MadeQuery[];
  corpus: Corpus;
  judge: Teacher;
  /** BM25 candidates a query. */
  depth: number;
  context: SynthesizeContext;
}

/**
 * One verdict a query, in their order. The own passage is judged even where BM25 does not find it; copies of it do not compete.
 * Promptagator (arXiv 2209.11755, section 3.2) filters so with its own retriever and K = 1.
 */
export async function judgeQueries(job: JudgeJob): Promise<Judged[]> {
  const { file, queries, corpus, judge, depth, context } = job;
  const texts = queries.map(({ text }) => text);
  const lists = await rankByBm25(corpus, texts, depth, new Pace(context));
  const part = await PartFile.open(file);
  context.emit({ type: "phase", name: `judge queries with ${judge.name}` });
  await scoreBlocks({
    items: queries.map((query, at) => ({ query, list: lists[at] as RankedList })),
    teacher: judge,
    part,
    groupOf: async ({ query, list }) => ({ query: query.text, passages: await candidatesOf(query, list, corpus) }),
    lineOf: (_, scores) => JSON.stringify(verdict(scores)),
    onProgress: (completed) => context.emit({ type: "progress", completed, total: queries.length, unit: "queries" }),
    signal: context.signal,
  });
  const judged: Judged[] = [];
  for await (const line of linesOf(createReadStream(file))) judged.push(JSON.parse(line) as Judged);
  return judged;
}

/** The own passage first, then candidates with another text. */
async function candidatesOf({ passage }: MadeQuery, { passages }: RankedList, corpus: Corpus): Promise<string[]> {
  const { text: own } = await corpus.read(passage);
  const others: string[] = [];
  for (const index of passages) {
    const { text } = await corpus.read(index);
    if (index !== passage && normalisedKey(text) !== normalisedKey(own)) others.push(text);
  }
  return [own, ...others];
}

function verdict([own = Number.NaN, ...others]: readonly number[]): Judged {
  return { rank: 1 + others.filter((score) => score >= own).length, score: own };
}
