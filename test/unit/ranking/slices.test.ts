import { describe, expect, test } from "vitest";
import { type Sliceable, sliceReports, slicesOf } from "../../../src/ranking/slices.js";

const query = (length: number, more: Partial<Sliceable> = {}): Sliceable => ({ query: "x".repeat(length), ...more });
const shape = (groups: readonly Sliceable[]) => slicesOf(groups).map(({ by, name, members }) => [by, name, members]);

describe("slices by query length", () => {
  test("are thirds, named by their characters", () => {
    expect(shape([30, 4, 9, 12, 40, 5].map((length) => query(length)))).toEqual([
      ["query_length", "up to 5 characters", [1, 5]],
      ["query_length", "6 to 12 characters", [2, 3]],
      ["query_length", "13 characters and more", [0, 4]],
    ]);
  });

  test("keep queries of one length together", () => {
    expect(shape([7, 7, 7, 7, 7, 9].map((length) => query(length)))).toEqual([
      ["query_length", "up to 7 characters", [0, 1, 2, 3, 4]],
      ["query_length", "8 characters and more", [5]],
    ]);
  });

  test("are none where all queries are of one length, or there is no query", () => {
    expect([shape([query(3), query(3)]), shape([])]).toEqual([[], []]);
  });

  test("count a character beyond the basic plane once", () => {
    expect(shape([{ query: "𝒳𝒴" }, { query: "abc" }])).toEqual([
      ["query_length", "up to 2 characters", [0]],
      ["query_length", "3 characters", [1]],
    ]);
  });
});

describe("slices by language and source", () => {
  test("stand largest first, with those that do not say", () => {
    const groups = [query(1, { lang: "fr" }), query(1, { lang: "de" }), query(1), query(1, { lang: "de" })];
    expect(shape(groups)).toEqual([
      ["language", "de", [1, 3]],
      ["language", "fr", [0]],
      ["language", "not given", [2]],
    ]);
  });

  test("are none where all queries have the same, or none", () => {
    expect([shape([query(1, { lang: "de" }), query(1, { lang: "de" })]), shape([query(1), query(1)])]).toEqual([
      [],
      [],
    ]);
  });

  test("put all but the 20 largest sources together, so that no query is lost", () => {
    const groups = Array.from({ length: 50 }, (_, index) => query(1, { source: `s${index % 25}` }));
    const slices = slicesOf(groups);
    expect(slices).toHaveLength(21);
    expect(slices.at(-1)).toMatchObject({ by: "source", name: "other" });
    expect(slices.flatMap(({ members }) => members).sort((a, b) => a - b)).toEqual(groups.map((_, index) => index));
  });
});

describe("the report of a slice", () => {
  const members = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);
  const language = (name: string, from: number, count: number) => ({
    by: "language" as const,
    name,
    members: members(from, count),
  });

  test("has the mean of its own queries and an interval", () => {
    const [first] = sliceReports([language("de", 1, 2)], [9, 0.1, 0.3, 9]);
    expect(first).toMatchObject({ queries: 2, mean: 0.2, interval: [0.1, 0.3] });
  });

  test("has no p-value under 30 queries, however clear the loss", () => {
    const reports = sliceReports([language("de", 0, 29), language("fr", 29, 30)], new Array(59).fill(-0.1));
    expect(reports.map(({ p_value, p_holm }) => [p_value === null, p_holm === null])).toEqual([
      [true, true],
      [false, false],
    ]);
    expect(reports.map(({ significant_loss }) => significant_loss)).toEqual([false, true]);
  });

  test("flags a loss even where the total wins", () => {
    const perQuery = [...new Array(200).fill(0.2), ...new Array(30).fill(-0.1)];
    const reports = sliceReports([language("de", 0, 200), language("en", 200, 30)], perQuery);
    expect(reports.map(({ name, significant_loss }) => [name, significant_loss])).toEqual([
      ["de", false],
      ["en", true],
    ]);
  });

  test("is corrected over all slices with a p-value", () => {
    // 20 gains and 36 losses of one size: p about .044 alone, not significant among two.
    const slice = [...new Array(20).fill(0.1), ...new Array(36).fill(-0.1)];
    const [alone] = sliceReports([language("de", 0, 56)], slice);
    expect(alone?.significant_loss).toBe(true);
    const both = sliceReports([language("de", 0, 56), language("fr", 56, 56)], [...slice, ...slice]);
    expect(both[0]?.p_value).toBe(alone?.p_value);
    expect(both[0]?.p_holm).toBeCloseTo(2 * (alone?.p_value ?? 0), 12);
    expect(both.some(({ significant_loss }) => significant_loss)).toBe(false);
  });
});

describe("slices of queries in clusters", () => {
  test("count the clusters where some queries share one, and stay as they are elsewhere", () => {
    const groups = Array.from({ length: 8 }, (_, index) => query(1, { lang: index < 4 ? "de" : "en" }));
    const gains = [0.1, 0.3, 0, 0.2, 0.4, 0, -0.1, 0.2];
    const apart = sliceReports(slicesOf(groups), gains);
    const together = sliceReports(slicesOf(groups), gains, [1, 1, -3, 1, -5, -6, -7, -8]);
    expect(together.map(({ name, queries, clusters }) => [name, queries, clusters])).toEqual([
      ["de", 4, 2],
      ["en", 4, undefined],
    ]);
    expect(together[1]).toEqual(apart[1]);
    expect(together[0]?.interval).not.toEqual(apart[0]?.interval);
  });
});
