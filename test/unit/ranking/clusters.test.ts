import { describe, expect, test } from "vitest";
import { bootstrapMean, smallestDetectable } from "../../../src/ranking/bootstrap.js";
import {
  bootstrapClusters,
  clusterSignFlip,
  clustersField,
  compareClustered,
  compareQueries,
  detectableInClusters,
  inClusters,
} from "../../../src/ranking/clusters.js";
import { comparePaired } from "../../../src/ranking/significance.js";

/** A spread of values that are no round numbers. */
const values = (count: number) => Array.from({ length: count }, (_, index) => Math.sin(3 * index + 1) / 4 + 0.03);
const alone = (count: number) => Array.from({ length: count }, (_, index) => index);

describe("clusters of one query each", () => {
  test("change nothing", () => {
    const left = values(40);
    const right = left.map((value, index) => value - 0.05 * Math.cos(index));
    expect(compareClustered(left, right, alone(40))).toEqual({ ...comparePaired(left, right), clusters: 40 });
  });

  test("leave a record as it was without clusters, to the last digit", () => {
    const left = values(40);
    const right = left.map((value, index) => value - 0.05 * Math.cos(index));
    const below = alone(40).map((index) => -1 - index);
    expect(JSON.stringify(compareQueries(left, right, below))).toBe(JSON.stringify(comparePaired(left, right)));
    expect([clustersField(below), inClusters({}), inClusters(clustersField([]))]).toEqual([{}, "", ""]);
  });

  test("have the interval and the smallest difference of queries, to the last digit", () => {
    const differences = values(25);
    expect(bootstrapClusters(differences, alone(25), 500)).toEqual(bootstrapMean(differences, 500));
    expect(detectableInClusters(differences, alone(25))).toBe(smallestDetectable(differences));
  });

  test("may be numbered in any way", () => {
    const differences = values(12);
    const numbers = alone(12).map((index) => 100 - 7 * index);
    expect(bootstrapClusters(differences, numbers, 300)).toEqual(bootstrapClusters(differences, alone(12), 300));
  });
});

describe("clusters of several queries", () => {
  test("flip their sign as one: two clusters have p 1/2 whatever their size", () => {
    const gains = Array.from({ length: 20 }, () => 0.1);
    const halves = gains.map((_, index) => (index < 10 ? 0 : 1));
    // Of the four flips of two equal sums, ++ and -- are as far from 0 as what was seen.
    expect(clusterSignFlip(gains, halves)).toEqual({ p_value: 0.5, exact: true });
    expect(clusterSignFlip(gains, alone(20)).p_value).toBeCloseTo(2 / 2 ** 20, 12);
  });

  test("cannot make a copied query count twice", () => {
    const once = values(15);
    const twice = once.flatMap((value) => [value, value]);
    const numbers = twice.map((_, index) => Math.floor(index / 2));
    const zeros = (list: number[]) => list.map(() => 0);
    const single = comparePaired(once, zeros(once));
    const copied = compareClustered(twice, zeros(twice), numbers);
    expect(copied.p_value).toBeCloseTo(single.p_value, 12);
    expect(copied.smallest_detectable).toBeCloseTo(single.smallest_detectable, 12);
    expect(copied.interval[0]).toBeCloseTo(single.interval[0], 12);
    expect(copied.interval[1]).toBeCloseTo(single.interval[1], 12);
    expect([copied.queries, copied.clusters]).toEqual([30, 15]);
    expect(comparePaired(twice, zeros(twice)).smallest_detectable).toBeLessThan(copied.smallest_detectable);
  });

  test("keep the mean over queries, and weigh by their size in the resampling", () => {
    // Cluster 0 holds three queries of 0.4, cluster 1 one of 0: a resample is 00 (0.4), 01 or 10 (0.3), 11 (0).
    const { mean, interval } = bootstrapClusters([0.4, 0.4, 0.4, 0], [0, 0, 0, 1], 2000);
    expect(mean).toBeCloseTo(0.3, 12);
    expect(interval[0]).toBeCloseTo(0, 12);
    expect(interval[1]).toBeCloseTo(0.4, 12);
  });

  test("have the smallest difference that follows from their sums", () => {
    // Sums 1.2 and 0 around sizes 3 and 1 times the mean 0.3: 0.3 and -0.3; error sqrt(2 * 0.18) / 4 = 0.15.
    expect(detectableInClusters([0.4, 0.4, 0.4, 0], [0, 0, 0, 1])).toBeCloseTo(0.15 * (1.959963985 + 0.841621234), 9);
  });
});

describe("the record of a comparison", () => {
  test("counts the clusters where some have several queries", () => {
    const [left, right] = [values(6), values(6).map(() => 0)];
    const numbers = [1, 1, -3, 2, 2, 2];
    expect(compareQueries(left, right, numbers)).toEqual(compareClustered(left, right, numbers));
    expect(clustersField(numbers)).toEqual({ clusters: 3 });
    expect(inClusters({ clusters: 3 })).toBe(" in 3 clusters");
    expect(inClusters({ clusters: 1 }, (count) => `just ${count}`)).toBe(" in just 1 cluster");
  });
});

describe("one cluster alone", () => {
  test("shows nothing: p 1, and no difference that could be seen", () => {
    const found = compareClustered([0.9, 0.8, 0.7], [0.1, 0.1, 0.1], [4, 4, 4]);
    expect(found).toMatchObject({ p_value: 1, smallest_detectable: 1, clusters: 1, wins: 3 });
  });
});

test("lists of different lengths are refused", () => {
  expect(() => bootstrapClusters([1, 2], [0])).toThrow(RangeError);
});
