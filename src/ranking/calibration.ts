// How far scores can be read as probabilities of relevance: reliability bins, calibration error, Brier score. Pure; ranks nothing.
import { mean } from "./statistics.js";

/** Bins of the reliability diagram and of the error, as in Guo et al. 2017. */
export const RELIABILITY_BINS = 15;
/** z(0.975). */
const Z = 1.959963985;

/** Pairs of similar predicted probability. All values 0-1. */
export interface ReliabilityBin {
  /** Smallest and largest predicted probability in the bin. */
  from: number;
  to: number;
  pairs: number;
  /** Mean predicted probability. */
  predicted: number;
  /** Share of pairs that are relevant. */
  observed: number;
  /** 95 % Wilson interval of `observed`. */
  interval: [number, number];
}

export interface Calibration {
  pairs: number;
  relevant: number;
  /** Expected calibration error, 0-1. */
  ece: number;
  /** Mean squared error of the probabilities, 0-1; a constant guess of one half has 0.25. */
  brier: number;
  bins: ReliabilityBin[];
}

/** One predicted pair. */
export interface Prediction {
  /** 0-1. */
  probability: number;
  relevant: boolean;
}

/** What the one documented reading of a raw logit as a probability is. */
export function sigmoid(logit: number): number {
  // The two forms keep exp from overflowing on either side.
  return logit >= 0 ? 1 / (1 + Math.exp(-logit)) : Math.exp(logit) / (1 + Math.exp(logit));
}

/** @throws RangeError without predictions, or for a probability outside 0-1. */
export function calibrationOf(predictions: readonly Prediction[], bins = RELIABILITY_BINS): Calibration {
  const reliability = reliabilityBins(predictions, bins);
  return {
    pairs: predictions.length,
    relevant: predictions.filter(({ relevant }) => relevant).length,
    ece: expectedCalibrationError(reliability),
    brier: brierScore(predictions),
    bins: reliability,
  };
}

/**
 * Bins of equal mass: as many pairs in each as the ties allow (Nguyen and O'Connor 2015). Most candidates are not relevant and
 * share one corner, where bins of equal width would put nearly all of them into one. Equal probabilities stay together, so
 * that the order of the pairs changes nothing; there are fewer bins than asked for where that leaves one empty.
 */
export function reliabilityBins(predictions: readonly Prediction[], bins = RELIABILITY_BINS): ReliabilityBin[] {
  if (predictions.length === 0) throw new RangeError("calibration needs at least one pair");
  const sorted = [...predictions].sort((left, right) => left.probability - right.probability);
  if (!sorted.every(({ probability }) => probability >= 0 && probability <= 1))
    throw new RangeError("a probability is not between 0 and 1");
  const cuts = Array.from({ length: bins - 1 }, (_, index) =>
    pastTies(sorted, Math.round(((index + 1) * sorted.length) / bins)),
  );
  const edges = [...new Set([0, ...cuts, sorted.length])];
  return edges.slice(1).map((end, index) => binOf(sorted.slice(edges[index], end)));
}

/** Weighted mean gap between predicted and observed (Guo et al. 2017, On Calibration of Modern Neural Networks, section 2). */
export function expectedCalibrationError(bins: readonly ReliabilityBin[]): number {
  const pairs = bins.reduce((sum, bin) => sum + bin.pairs, 0);
  return bins.reduce((sum, bin) => sum + (bin.pairs / pairs) * Math.abs(bin.observed - bin.predicted), 0);
}

/** Mean squared difference between probability and outcome (Brier 1950, in the form for two outcomes). */
export function brierScore(predictions: readonly Prediction[]): number {
  return mean(predictions.map(({ probability, relevant }) => (probability - Number(relevant)) ** 2));
}

/** 95 % score interval of a share (Wilson 1927); stays inside 0-1 and is not empty where none or all succeeded. */
export function wilsonInterval(successes: number, count: number): [number, number] {
  if (count <= 0) throw new RangeError("a share needs at least one observation");
  const share = successes / count;
  const scale = 1 + Z ** 2 / count;
  const center = (share + Z ** 2 / (2 * count)) / scale;
  const half = (Z / scale) * Math.sqrt((share * (1 - share)) / count + Z ** 2 / (4 * count ** 2));
  return [Math.max(0, center - half), Math.min(1, center + half)];
}

function pastTies(sorted: readonly Prediction[], cut: number): number {
  let place = cut;
  while (place > 0 && place < sorted.length && sorted[place]?.probability === sorted[place - 1]?.probability)
    place += 1;
  return place;
}

function binOf(members: readonly Prediction[]): ReliabilityBin {
  const relevant = members.filter((member) => member.relevant).length;
  return {
    from: members[0]?.probability as number,
    to: members.at(-1)?.probability as number,
    pairs: members.length,
    predicted: mean(members.map(({ probability }) => probability)),
    observed: relevant / members.length,
    interval: wilsonInterval(relevant, members.length),
  };
}
