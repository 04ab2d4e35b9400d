// What a limit on the probability of relevance would keep of the test split, and how much of that is right. Pure.
import { sigmoid, wilsonInterval } from "../../ranking/calibration.js";
import type { Share, SystemScores, ThresholdRow, Thresholds } from "../data.js";

/** Close together at both ends, where a search cuts noise off or an answer must be sure. */
export const THRESHOLDS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99] as const;

/** @param calibrated whether the scores went through a calibration. */
export function thresholdsOf({ relevant, other }: SystemScores, calibrated: boolean): Thresholds {
  const [right, wrong] = [relevant, other].map((scores) => scores.map(sigmoid)) as [number[], number[]];
  return {
    calibrated,
    pairs: right.length + wrong.length,
    relevant: right.length,
    rows: THRESHOLDS.map((threshold) => rowAt(threshold, right, wrong)),
  };
}

function rowAt(threshold: number, right: readonly number[], wrong: readonly number[]): ThresholdRow {
  const from = (probabilities: readonly number[]) => probabilities.filter((value) => value >= threshold).length;
  const relevant_kept = from(right);
  const kept = relevant_kept + from(wrong);
  return {
    threshold,
    kept,
    relevant_kept,
    precision: shareOf(relevant_kept, kept),
    recall: shareOf(relevant_kept, right.length),
  };
}

function shareOf(successes: number, count: number): Share {
  return count === 0 ? null : { value: successes / count, interval: wilsonInterval(successes, count) };
}
