// Whose candidates are scored: a given run, the run in the data folder, or BM25 over its corpus. With their texts; judges nothing.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { buildBm25 } from "../dataset/bm25.js";
import { dataInvalid, dataNotFound, type Findings } from "../dataset/findings.js";
import type { StageEvent } from "../events.js";
import { readPassages, readTexts } from "./corpus.js";
import { readCandidateRun } from "./run-file.js";
import { type JudgedQuery, partFile } from "./split.js";

/** Candidates without a run, where --depth is not given: what most production systems hand to a reranker at most. */
export const BM25_DEPTH = 100;

/** A passage as the first stage returned it. */
export interface FirstStageHit {
  id: string;
  score: number;
}

export interface FirstStage {
  /** Who chose the run: the command line, or this tool, which then has to say so. */
  source: "given" | "found" | "bm25";
  /** Path of the run; null for BM25 made here. */
  run: string | null;
  /** Tag of the run, or `bm25`. */
  name: string;
  /** Best first, by query id. */
  ranked: Map<string, FirstStageHit[]>;
  /** Texts by passage id, of candidates alone. */
  texts: Map<string, string>;
}

export interface FirstStageRequest {
  folder: string;
  /** TREC run, plain or .gz. */
  run?: string;
  /** Candidates a query, at most. A run is taken whole without it. */
  depth?: number;
  signal: AbortSignal;
  emit(event: StageEvent): void;
}

/**
 * @throws RerankTuneError DATA_NOT_FOUND for a run or corpus that is not there; DATA_INVALID with lines.
 */
export async function findCandidates(
  request: FirstStageRequest,
  queries: readonly JudgedQuery[],
  findings: Findings,
): Promise<FirstStage> {
  const corpus = partFile(request.folder, "corpus.jsonl");
  const found = request.run ?? (await runInFolder(request.folder));
  if (found === undefined) return await rankByBm25(corpus, request, queries, findings);
  if (!existsSync(found))
    throw dataNotFound(
      `There is no run ${found}.`,
      "correct --run; it is a file of `query Q0 passage rank score tag`, plain or .gz",
    );
  const source = request.run === undefined ? "found" : "given";
  return { source, run: found, ...(await takeRun(found, corpus, request, queries, findings)) };
}

/** `BM25.trec` in any case, as shared data sets carry it. */
async function runInFolder(folder: string): Promise<string | undefined> {
  const names = await readdir(folder);
  const name = names.sort().find((candidate) => /^bm25\.trec(\.gz)?$/i.test(candidate));
  return name === undefined ? undefined : join(folder, name);
}

async function takeRun(
  file: string,
  corpus: string,
  { depth, signal, emit }: FirstStageRequest,
  queries: readonly JudgedQuery[],
  findings: Findings,
): Promise<Pick<FirstStage, "name" | "ranked" | "texts">> {
  const run = await readCandidateRun(file, new Set(queries.map(({ id }) => id)), depth, findings);
  findings.throwIfFatal(file);
  if (depth !== undefined && run.longest > depth)
    emit({
      type: "note",
      message: `the run holds up to ${run.longest} candidates a query, the first ${depth} are taken`,
    });
  const wanted = new Set([...run.ranked.values()].flatMap((list) => list.map(({ passage }) => passage)));
  const texts = await readTexts(corpus, wanted, findings, signal);
  for (const list of run.ranked.values())
    for (const { passage, line } of list)
      if (!texts.has(passage))
        findings.fatal.add({
          file,
          line,
          path: "passage",
          message: "names a passage that corpus.jsonl does not have",
          hint: "use the ids of corpus.jsonl in the run, or drop --run",
        });
  findings.throwIfFatal(file);
  const ranked = new Map(
    [...run.ranked].map(([query, list]) => [query, list.map(({ passage, score }) => ({ id: passage, score }))]),
  );
  return { name: run.tag, ranked, texts };
}

/** Unlike a run, BM25 needs the whole corpus in memory while it searches; afterwards the candidates' texts stay. */
async function rankByBm25(
  file: string,
  { depth = BM25_DEPTH, signal, emit }: FirstStageRequest,
  queries: readonly JudgedQuery[],
  findings: Findings,
): Promise<FirstStage> {
  emit({
    type: "note",
    message: `no run is given or found beside the corpus: BM25 gives up to ${depth} candidates a query`,
  });
  const [ids, passages]: [string[], string[]] = [[], []];
  for await (const { id, text } of readPassages(file, findings, signal)) {
    ids.push(id);
    passages.push(text);
  }
  findings.throwIfFatal(file);
  if (new Set(ids).size < ids.length)
    throw dataInvalid(`${file} repeats an \`_id\`.`, "give every passage its own `_id`, or name a run with --run");
  const index = buildBm25(passages);
  const texts = new Map<string, string>();
  const ranked = new Map<string, FirstStageHit[]>();
  for (const query of queries) {
    const hits = index.search(query.text, depth);
    for (const { passage } of hits) texts.set(ids[passage] as string, passages[passage] as string);
    ranked.set(
      query.id,
      hits.map(({ passage, score }) => ({ id: ids[passage] as string, score })),
    );
  }
  return { source: "bm25", run: null, name: "bm25", ranked, texts };
}
