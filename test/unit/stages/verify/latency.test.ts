import { describe, expect, test } from "vitest";
import type { Scorer } from "../../../../src/inference/scorer.js";
import { measureLatency, Requests } from "../../../../src/stages/verify/latency.js";
import { physicalCores } from "../../../../src/stages/verify/machine.js";

/** Stands in for a model that takes `perPair` milliseconds a passage. */
function sleeper(perPair: number): Scorer {
  const stats = { pairs: 0, tokens: 0, coldStartMs: 0, memoryBytes: 0, runMs: 0 };
  const score = async (_: string, passages: readonly string[]) => {
    await new Promise((resolve) => setTimeout(resolve, perPair * passages.length));
    stats.pairs += passages.length;
    stats.tokens += 7 * passages.length;
    return new Float32Array(passages.length);
  };
  return { stats, score } as unknown as Scorer;
}

const GROUPS = [
  { query: "a", passages: ["1", "2"] },
  { query: "b", passages: ["3"] },
];
const options = (budgetMs: number, candidates = [2, 8]) => ({
  candidates,
  budgetMs,
  signal: new AbortController().signal,
  onProgress: () => undefined,
});
const contestant = (variant: string, perPair: number) => ({ variant, provider: "cpu", scorer: sleeper(perPair) });

describe("latency", () => {
  // Sleeps of milliseconds on a busy machine may overshoot: one quiet moment in three has to be enough.
  test("has a row for every contestant and count, with its own time", { retry: 2 }, async () => {
    const { rows } = await measureLatency([contestant("fast", 1), contestant("slow", 4)], GROUPS, options(700));
    expect(rows.map(({ variant, candidates }) => `${variant} ${candidates}`)).toEqual([
      "fast 2",
      "fast 8",
      "slow 2",
      "slow 8",
    ]);
    const median = (variant: string) =>
      rows.find((row) => row.variant === variant && row.candidates === 8)?.p50_ms as number;
    expect(median("slow")).toBeGreaterThan(2 * median("fast"));
  });

  test("keeps to its budget", { retry: 2 }, async () => {
    const started = performance.now();
    await measureLatency([contestant("fast", 1)], GROUPS, options(300));
    expect(performance.now() - started).toBeLessThan(600);
  });

  test("leaves out and names what cannot have five samples within the budget", async () => {
    const { rows, leftOut } = await measureLatency(
      [contestant("fast", 1), contestant("slow", 20)],
      GROUPS,
      options(500),
    );
    expect(rows.some(({ variant, candidates }) => variant === "slow" && candidates === 8)).toBe(false);
    expect(leftOut).toContain("slow on cpu at 8 candidates");
  });

  test("has five samples in every row", async () => {
    const { rows } = await measureLatency([contestant("fast", 1), contestant("slow", 5)], GROUPS, options(500));
    for (const { samples } of rows) expect(samples).toBeGreaterThanOrEqual(5);
  });

  test("names a 99th percentile only from 100 samples up", async () => {
    const { rows } = await measureLatency([contestant("fast", 0.5)], GROUPS, options(1200, [2, 40]));
    for (const { samples, p99_ms } of rows) expect(p99_ms === null).toBe(samples < 100);
    expect(rows.some(({ samples }) => samples >= 100)).toBe(true);
  });

  test("gives the mean of real tokens a pair", async () => {
    const { rows } = await measureLatency([contestant("fast", 1)], GROUPS, options(200));
    expect(rows[0]?.tokens_per_pair).toBe(7);
  });

  test("stops with INTERRUPTED", async () => {
    const stopped = { ...options(5000), signal: AbortSignal.abort("SIGINT") };
    await expect(measureLatency([contestant("fast", 1)], GROUPS, stopped)).rejects.toMatchObject({
      code: "INTERRUPTED",
    });
  });
});

test("a request takes as many passages as asked for, moving on and around", () => {
  const requests = new Requests(GROUPS);
  expect([requests.next(2), requests.next(4)]).toEqual([
    { query: "a", passages: ["1", "2"] },
    { query: "b", passages: ["3", "1", "2", "3"] },
  ]);
});

test("physical cores are counted by socket and core, not by thread", () => {
  const thread = (socket: number, core: number) => `processor : 0\nphysical id : ${socket}\ncore id : ${core}\n`;
  expect(physicalCores(thread(0, 0) + thread(0, 0) + thread(0, 1) + thread(1, 0))).toBe(3);
});
