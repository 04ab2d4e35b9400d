import { describe, expect, test } from "vitest";
import {
  brierScore,
  calibrationOf,
  expectedCalibrationError,
  type Prediction,
  reliabilityBins,
  sigmoid,
  wilsonInterval,
} from "../../../src/ranking/calibration.js";

const pairs = (...rows: [number, number][]): Prediction[] =>
  rows.map(([probability, relevant]) => ({ probability, relevant: relevant === 1 }));

describe("reliability bins", () => {
  test("hold equally many pairs, in order of their probability", () => {
    const bins = reliabilityBins(pairs([0.9, 1], [0.1, 0], [0.8, 0], [0.3, 1], [0.2, 0], [0.7, 1]), 3);
    expect(bins.map(({ from, to, pairs }) => [from, to, pairs])).toEqual([
      [0.1, 0.2, 2],
      [0.3, 0.7, 2],
      [0.8, 0.9, 2],
    ]);
    expect(bins.map(({ observed }) => observed)).toEqual([0, 1, 0.5]);
    expect(bins.map(({ predicted }) => Number(predicted.toFixed(9)))).toEqual([0.15, 0.5, 0.85]);
  });

  test("keep equal probabilities together, whatever their order", () => {
    const rows = pairs([0.2, 1], [0.2, 0], [0.2, 0], [0.6, 1]);
    const bins = reliabilityBins(rows, 2);
    expect(bins.map(({ from, to, pairs, observed }) => [from, to, pairs, observed])).toEqual([
      [0.2, 0.2, 3, 1 / 3],
      [0.6, 0.6, 1, 1],
    ]);
    expect(reliabilityBins([...rows].reverse(), 2)).toEqual(bins);
  });

  test("are one bin where all probabilities are the same", () => {
    expect(reliabilityBins(pairs([0.5, 1], [0.5, 0], [0.5, 0]), 15)).toMatchObject([{ pairs: 3, predicted: 0.5 }]);
  });

  test("are as many as the pairs where those are fewer than the bins", () => {
    expect(reliabilityBins(pairs([0.1, 0], [0.4, 1]), 15).map(({ from }) => from)).toEqual([0.1, 0.4]);
  });

  test("refuse no pairs, and what is no probability", () => {
    expect(() => reliabilityBins([], 15)).toThrow(RangeError);
    expect(() => reliabilityBins(pairs([1.5, 1]), 15)).toThrow(/between 0 and 1/);
    expect(() => reliabilityBins(pairs([Number.NaN, 1]), 15)).toThrow(/between 0 and 1/);
  });
});

describe("the calibration error", () => {
  test("is the gap of each bin, weighted by its pairs", () => {
    // Bins {.2 .2 .2} with 1 of 3 relevant and {.6} with 1 of 1: 3/4 * |1/3 - .2| + 1/4 * |1 - .6| = .1 + .1.
    const bins = reliabilityBins(pairs([0.2, 1], [0.2, 0], [0.2, 0], [0.6, 1]), 2);
    expect(expectedCalibrationError(bins)).toBeCloseTo(0.2, 12);
  });

  test("is 0 where every probability is the observed share", () => {
    expect(calibrationOf(pairs([0.25, 1], [0.25, 0], [0.25, 0], [0.25, 0])).ece).toBeCloseTo(0, 12);
  });

  test("is 1 for the surest possible mistakes", () => {
    expect(calibrationOf(pairs([1, 0], [0, 1])).ece).toBe(1);
  });
});

describe("the Brier score", () => {
  test("is the mean squared distance to the outcome", () => {
    expect(brierScore(pairs([0.8, 1], [0.3, 0]))).toBeCloseTo((0.04 + 0.09) / 2, 12);
    expect(brierScore(pairs([0.5, 1], [0.5, 0]))).toBe(0.25);
  });
});

describe("the Wilson interval", () => {
  test("is that of the tables for 5 of 10 and for 0 of 10", () => {
    expect(wilsonInterval(5, 10).map((edge) => Number(edge.toFixed(4)))).toEqual([0.2366, 0.7634]);
    expect(wilsonInterval(0, 10).map((edge) => Number(edge.toFixed(4)))).toEqual([0, 0.2775]);
  });

  test("mirrors itself, and ends at 1 where all succeeded", () => {
    expect(wilsonInterval(10, 10)[1]).toBe(1);
    expect(wilsonInterval(3, 10)[0]).toBeCloseTo(1 - wilsonInterval(7, 10)[1], 12);
  });

  test("needs an observation", () => {
    expect(() => wilsonInterval(0, 0)).toThrow(RangeError);
  });
});

describe("the sigmoid", () => {
  test("gives one half for 0 and its known values beside it", () => {
    expect(sigmoid(0)).toBe(0.5);
    expect(sigmoid(Math.log(3))).toBeCloseTo(0.75, 12);
    expect(sigmoid(-Math.log(3))).toBeCloseTo(0.25, 12);
  });

  test("does not overflow at either end", () => {
    expect([sigmoid(1e4), sigmoid(-1e4), sigmoid(Number.POSITIVE_INFINITY), sigmoid(Number.NEGATIVE_INFINITY)]).toEqual(
      [1, 0, 1, 0],
    );
  });
});
