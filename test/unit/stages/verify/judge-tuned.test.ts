import { describe, expect, test } from "vitest";
import type { Group } from "../../../../src/dataset/groups.js";
import type { Scores } from "../../../../src/ranking/scores.js";
import { comparePaired } from "../../../../src/ranking/significance.js";
import { sliceReports, slicesOf } from "../../../../src/ranking/slices.js";
import { judgeTuned, sliceLine, type TunedRequest } from "../../../../src/stages/verify/judge-tuned.js";

/** One relevant passage of two; whoever puts it second has an NDCG@10 of 1 / log2(3) instead of 1. */
const LOST = 1 - 1 / Math.log2(3);

/** @param first whether the first stage has the relevant passage on top. */
function group(index: number, first: boolean, more: Partial<Group> = {}): Group {
  const passage = (id: string, label: number, rank: number) =>
    ({ id, text: id, label, source: "bm25", rank }) as Group["passages"][number];
  const passages = first ? [passage("yes", 1, 1), passage("no", 0, 2)] : [passage("no", 0, 1), passage("yes", 1, 2)];
  return { query_id: `q${index}`, query: `query ${index}`, passages, ...more };
}

/** Scores that put the relevant passage of query i on top where `right[i]` says so. */
const scores = (right: readonly boolean[]): Scores =>
  new Map(right.map((on, index) => [`q${index}`, new Map(Object.entries(on ? { yes: 2, no: 1 } : { yes: 1, no: 2 }))]));

const groups = (count: number, first = false, more: Partial<Group> = {}) =>
  Array.from({ length: count }, (_, index) => group(index, first, more));
const all = (count: number, on: boolean) => new Array<boolean>(count).fill(on);

function judge(request: Partial<TunedRequest> & Pick<TunedRequest, "groups" | "tuned">) {
  return judgeTuned({ base: undefined, guards: [], guardMaxDrop: 0.01, ...request });
}

describe("the verdict", () => {
  test("is improved from six gains on (p 2/64), and not with five (2/32)", () => {
    const [six, five] = [6, 5].map((count) => judge({ groups: groups(count), tuned: scores(all(count, true)) }));
    expect(six).toMatchObject({ outcome: "improved", advice: "take the tuned model" });
    expect(six?.comparison).toMatchObject({ p_value: 2 / 64, wins: 6, ties: 0, losses: 0 });
    expect(six?.comparison.mean).toBeCloseTo(LOST, 12);
    expect(five).toMatchObject({ outcome: "no_significant_gain", comparison: { p_value: 2 / 32 } });
  });

  test("is worse from six losses on, and not with five", () => {
    const outcomes = [6, 5].map((count) => judge({ groups: groups(count, true), tuned: scores(all(count, false)) }));
    expect(outcomes.map(({ outcome, advice }) => [outcome, advice])).toEqual([
      ["worse", "keep the first stage"],
      ["no_significant_gain", "keep the first stage"],
    ]);
  });

  test("of a model that ranks as the base does is to keep the base", () => {
    const same = scores(all(40, true));
    const verdict = judge({ groups: groups(40), tuned: same, base: same });
    expect(verdict).toMatchObject({ outcome: "no_significant_gain", against: "base", advice: "keep the base" });
    expect(verdict.comparison).toMatchObject({ p_value: 1, ties: 40, mean: 0, interval: [0, 0] });
  });

  test("holds the model against the base where there is one, whatever the first stage did", () => {
    const verdict = judge({ groups: groups(20, false), tuned: scores(all(20, true)), base: scores(all(20, true)) });
    expect(verdict.outcome).toBe("no_significant_gain");
    expect(judge({ groups: groups(20, false), tuned: scores(all(20, true)) }).outcome).toBe("improved");
  });

  test("counts a relevant passage that the first stage missed as missed for both", () => {
    const missed = { missed: [{ id: "gone", label: 1 }] };
    const { comparison } = judge({ groups: groups(6, false, missed), tuned: scores(all(6, true)) });
    expect(comparison.mean).toBeCloseTo(LOST / (1 + 1 / Math.log2(3)), 12);
  });

  test("says all of it in one line, and no word of a query", () => {
    const verdict = judge({ groups: groups(40), tuned: scores(all(40, false)), base: scores(all(40, false)) });
    expect(verdict.summary).toBe(
      "keep the base: no significant gain, NDCG@10 +0.0000 [+0.0000, +0.0000] against the base over 40 test queries, p 1; 0 better, 40 equal, 0 worse; a true difference of 0.0000 would be found four times in five",
    );
    expect(JSON.stringify(judge({ groups: groups(90), tuned: scores(all(90, true)) }))).not.toContain("query 1");
  });

  test("refuses scores that lack a candidate", () => {
    expect(() => judge({ groups: groups(3), tuned: scores(all(2, true)) })).toThrow(/lack query "q2"/);
  });
});

describe("the verdict over clusters", () => {
  /** Queries in twos, as near-duplicates or questions on one document are. */
  const pairs = (count: number, more: Partial<Group> = {}) =>
    groups(count, false, more).map((one, index) => ({ ...one, cluster: Math.floor(index / 2) + 1 }));

  test("counts a cluster once: six gains in three clusters have p 2/8", () => {
    const verdict = judge({ groups: pairs(6), tuned: scores(all(6, true)) });
    expect(verdict).toMatchObject({ outcome: "no_significant_gain", advice: "keep the first stage" });
    expect(verdict.comparison).toMatchObject({ queries: 6, clusters: 3, p_value: 2 / 8, exact: true, wins: 6 });
    expect(judge({ groups: pairs(12), tuned: scores(all(12, true)) })).toMatchObject({
      outcome: "improved",
      comparison: { queries: 12, clusters: 6, p_value: 2 / 64 },
    });
  });

  test("is wider and says of how many clusters", () => {
    const tuned = scores(Array.from({ length: 80 }, (_, index) => index % 8 < 4));
    const [apart, together] = [groups(80), pairs(80)].map((both) => judge({ groups: both, tuned }));
    const width = ([low, high]: [number, number] = [0, 0]) => high - low;
    expect(width(together?.comparison.interval)).toBeGreaterThan(1.2 * width(apart?.comparison.interval));
    expect(together?.comparison.smallest_detectable).toBeGreaterThan(
      1.2 * (apart?.comparison.smallest_detectable ?? 1),
    );
    expect(together?.comparison.mean).toBe(apart?.comparison.mean);
    expect(together?.summary).toContain(" against the first stage over 80 test queries in 40 clusters, p ");
  });

  test("is what it was without them where every query stands alone, to the last digit", () => {
    const right = Array.from({ length: 70 }, (_, index) => index % 3 > 0);
    const plain = groups(70).map((one, index) => ({ ...one, lang: index % 2 === 0 ? "de" : "en" }));
    const [own, other] = [right.map((on) => (on ? 1 : 1 - LOST)), right.map(() => 1 - LOST)];
    const verdict = judge({ groups: plain, tuned: scores(right) });
    expect(JSON.stringify(verdict.comparison)).toBe(JSON.stringify(comparePaired(own, other)));
    const gains = own.map((value, index) => value - (other[index] as number));
    expect(verdict.slices).toEqual(sliceReports(slicesOf(plain), gains));
    expect(
      judge({ groups: plain.map((one, index) => ({ ...one, cluster: index + 1 })), tuned: scores(right) }),
    ).toEqual(verdict);
    expect(JSON.stringify(verdict)).not.toContain("cluster");
  });

  test("has slices by clusters: no p-value below 30 of them", () => {
    const mixed = pairs(120).map((one, index) => ({ ...one, lang: index < 70 ? "de" : "en" }));
    const verdict = judge({ groups: mixed, tuned: scores(all(120, false)), base: scores(all(120, true)) });
    const [german, english] = verdict.slices.filter(({ by }) => by === "language");
    expect(german).toMatchObject({ name: "de", queries: 70, clusters: 35, significant_loss: true });
    expect(english).toMatchObject({ name: "en", queries: 50, clusters: 25, p_value: null, significant_loss: false });
    expect(german && sliceLine(german)).toContain(" over 70 queries in 35 clusters, p ");
  });

  test("holds for guard sets whose groups carry them", () => {
    const guard = { name: "general", groups: pairs(30), tuned: scores(all(30, true)), base: scores(all(30, true)) };
    const { guards } = judge({ groups: groups(6), tuned: scores(all(6, true)), guards: [guard] });
    expect(guards).toMatchObject([{ queries: 30, clusters: 15, gate: { outcome: "passed" } }]);
    expect(guards[0]?.gate.detail).toContain("over 30 queries in 15 clusters;");
  });
});

describe("slices of the verdict", () => {
  test("flag a language that lost though the total won", () => {
    const mixed = Array.from({ length: 230 }, (_, index) =>
      group(index, index >= 200, { lang: index < 200 ? "de" : "en" }),
    );
    const verdict = judge({ groups: mixed, tuned: scores(mixed.map((_, index) => index < 200)) });
    expect(verdict.outcome).toBe("improved");
    const lost = verdict.slices.filter(({ significant_loss, by }) => significant_loss && by === "language");
    expect(lost).toMatchObject([{ name: "en", queries: 30 }]);
    const [english] = lost;
    expect(english && sliceLine(english)).toMatch(
      /^worse for language en: NDCG@10 -0\.3691 \[-0\.3691, -0\.3691\] over 30 queries, p .* after Holm's correction$/,
    );
  });

  test("follow the source where the groups carry one", () => {
    const carrying = Array.from({ length: 8 }, (_, index) => ({
      ...group(index, false),
      source: index < 3 ? "a" : "b",
    }));
    const { slices } = judge({ groups: carrying, tuned: scores(all(8, true)) });
    expect(slices.filter(({ by }) => by === "source").map(({ name, queries }) => [name, queries])).toEqual([
      ["b", 5],
      ["a", 3],
    ]);
  });
});

describe("a guard set", () => {
  const guarded = (tuned: boolean[], base: boolean[] | undefined, guardMaxDrop = 0.01) =>
    judge({
      groups: groups(6),
      tuned: scores(all(6, true)),
      guardMaxDrop,
      guards: [
        {
          name: "general",
          groups: groups(tuned.length, true),
          tuned: scores(tuned),
          ...(base === undefined ? {} : { base: scores(base) }),
        },
      ],
    });

  test("passes where nothing changed", () => {
    const { guards, outcome } = guarded(all(30, true), all(30, true));
    expect(guards).toMatchObject([
      {
        name: "general",
        queries: 30,
        against: "base",
        gate: { gate: "guard_max_drop", outcome: "passed", limit: -0.01 },
      },
    ]);
    expect(outcome).toBe("improved");
  });

  test("fails where the whole interval lies below the limit, and says by how much", () => {
    const [guard] = guarded(all(30, false), all(30, true)).guards;
    expect(guard?.gate.outcome).toBe("failed");
    expect(guard?.gate.missed_by).toBeCloseTo(LOST - 0.01, 12);
  });

  test("is inconclusive where gains and losses cancel out", () => {
    const half = Array.from({ length: 30 }, (_, index) => index % 2 === 0);
    const [guard] = guarded(
      half,
      half.map((on) => !on),
    ).guards;
    expect(guard?.gate.outcome).toBe("inconclusive");
  });

  test("passes with a limit as wide as the loss", () => {
    expect(guarded(all(30, false), all(30, true), LOST).guards[0]?.gate.outcome).toBe("passed");
  });

  test("is held against the first stage where the head is fresh", () => {
    expect(guarded(all(30, false), undefined).guards).toMatchObject([
      { against: "first_stage", gate: { outcome: "failed" } },
    ]);
  });
});
