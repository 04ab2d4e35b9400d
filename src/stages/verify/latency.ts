// Latency of whole requests (tokenize, score, answer), all contestants in turn so that noise of the machine hits them alike.

import { interrupted } from "../../errors.js";
import type { Scorer } from "../../inference/scorer.js";
import type { QueryPassages } from "../../inference/tokenizer.js";
import { percentile } from "../../ranking/statistics.js";
import type { LatencyRow } from "./schema.js";

/** Fewer samples than this say nothing about a percentile, and a 99th one needs 100. */
const LEAST_SAMPLES = 5;
const SAMPLES_FOR_P99 = 100;
const WARM_UPS = 3;

export interface Contestant {
  variant: string;
  provider: string;
  scorer: Scorer;
}

export interface LatencyOptions {
  candidates: readonly number[];
  budgetMs: number;
  signal: AbortSignal;
  onProgress(completedMs: number, totalMs: number): void;
}

export interface LatencyResult {
  rows: LatencyRow[];
  /** Contestants and candidate counts for which the budget has no five samples. */
  leftOut: string[];
}

/** One contestant at one number of candidates. */
interface Cell {
  contestant: Contestant;
  candidates: number;
  /** Milliseconds of the last warm-up. */
  expected: number;
  samples: number[];
  spent: number;
  pairs: number;
  tokens: number;
}

/**
 * Measures every contestant at every number of candidates for `budgetMs` in all, warm-ups apart.
 * First five samples of each, small requests first; then whoever has used the least time is next, so that each cell gets an equal share.
 * @param groups where queries and passages are drawn from, in order and around again; must not be empty.
 */
export async function measureLatency(
  contestants: readonly Contestant[],
  groups: readonly QueryPassages[],
  options: LatencyOptions,
): Promise<LatencyResult> {
  const requests = new Requests(groups);
  const { cells, leftOut } = await warmUp(contestants, requests, options);
  const started = performance.now();
  const elapsed = () => performance.now() - started;
  while (cells.length > 0 && elapsed() < options.budgetMs) {
    if (options.signal.aborted) throw interrupted(options.signal);
    await takeSample(nextCell(cells), requests);
    options.onProgress(Math.min(elapsed(), options.budgetMs), options.budgetMs);
  }
  const rows = cells.filter(({ samples }) => samples.length >= LEAST_SAMPLES).map(toRow);
  const short = cells.filter(({ samples }) => samples.length < LEAST_SAMPLES).map(nameOf);
  return { rows, leftOut: [...leftOut, ...short] };
}

/** Queries with as many passages as asked for; each call moves on, so that no request is measured twice in a row. */
export class Requests {
  private query = 0;
  private passage = 0;
  private readonly passages: readonly string[];

  constructor(private readonly groups: readonly QueryPassages[]) {
    this.passages = groups.flatMap((group) => group.passages);
  }

  next(candidates: number): QueryPassages {
    const { query } = this.groups[this.query++ % this.groups.length] as QueryPassages;
    const passages = Array.from(
      { length: candidates },
      () => this.passages[this.passage++ % this.passages.length] as string,
    );
    return { query, passages };
  }
}

/** Warms each contestant at each count, smallest first, and leaves out cells whose five samples do not fit the budget. */
async function warmUp(
  contestants: readonly Contestant[],
  requests: Requests,
  options: LatencyOptions,
): Promise<{ cells: Cell[]; leftOut: string[] }> {
  const cells: Cell[] = [];
  const leftOut: string[] = [];
  for (const contestant of contestants) {
    let perCandidate = 0;
    for (const candidates of [...options.candidates].sort((left, right) => left - right)) {
      if (options.signal.aborted) throw interrupted(options.signal);
      const cell: Cell = {
        contestant,
        candidates,
        expected: perCandidate * candidates,
        samples: [],
        spent: 0,
        pairs: 0,
        tokens: 0,
      };
      // Half the budget for one cell is hopeless: not even warmed up, because a large model takes minutes here.
      if (cell.expected * LEAST_SAMPLES > options.budgetMs / 2) leftOut.push(nameOf(cell));
      else {
        const rounds = perCandidate === 0 ? WARM_UPS : 1;
        for (let round = 0; round < rounds; round++) cell.expected = await timed(cell, requests);
        perCandidate = cell.expected / candidates;
        cells.push(cell);
      }
    }
  }
  return { cells: affordable(cells, options.budgetMs, leftOut), leftOut };
}

/** Drops the most expensive cells until five samples of every one fit. */
function affordable(cells: Cell[], budgetMs: number, leftOut: string[]): Cell[] {
  const cheapestFirst = [...cells].sort((left, right) => left.expected - right.expected);
  let total = cheapestFirst.reduce((sum, { expected }) => sum + expected * LEAST_SAMPLES, 0);
  while (total > budgetMs && cheapestFirst.length > 0) {
    const dropped = cheapestFirst.pop() as Cell;
    total -= dropped.expected * LEAST_SAMPLES;
    leftOut.push(nameOf(dropped));
  }
  return cells.filter((cell) => cheapestFirst.includes(cell));
}

/** Five of each first, variants in turn and small requests before large ones: where time runs out, something is complete. */
function nextCell(cells: readonly Cell[]): Cell {
  const unfinished = cells.filter(({ samples }) => samples.length < LEAST_SAMPLES);
  const isSooner = (left: Cell, right: Cell) =>
    left.candidates - right.candidates || left.samples.length - right.samples.length;
  if (unfinished.length > 0) return unfinished.reduce((first, cell) => (isSooner(cell, first) < 0 ? cell : first));
  return cells.reduce((least, cell) => (cell.spent < least.spent ? cell : least));
}

async function takeSample(cell: Cell, requests: Requests): Promise<void> {
  const { stats } = cell.contestant.scorer;
  const before = { pairs: stats.pairs, tokens: stats.tokens };
  const milliseconds = await timed(cell, requests);
  cell.samples.push(milliseconds);
  cell.spent += milliseconds;
  cell.pairs += stats.pairs - before.pairs;
  cell.tokens += stats.tokens - before.tokens;
}

async function timed(cell: Cell, requests: Requests): Promise<number> {
  const { query, passages } = requests.next(cell.candidates);
  const started = performance.now();
  await cell.contestant.scorer.score(query, passages);
  return performance.now() - started;
}

function toRow(cell: Cell): LatencyRow {
  return {
    variant: cell.contestant.variant,
    provider: cell.contestant.provider,
    candidates: cell.candidates,
    tokens_per_pair: cell.tokens / cell.pairs,
    samples: cell.samples.length,
    p50_ms: percentile(cell.samples, 0.5),
    p95_ms: percentile(cell.samples, 0.95),
    p99_ms: cell.samples.length >= SAMPLES_FOR_P99 ? percentile(cell.samples, 0.99) : null,
  };
}

const nameOf = ({ contestant, candidates }: Cell) =>
  `${contestant.variant} on ${contestant.provider} at ${candidates} candidates`;
