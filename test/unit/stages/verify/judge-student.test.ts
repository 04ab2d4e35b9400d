import { describe, expect, test } from "vitest";
import { compareQueries, standingAlone } from "../../../../src/ranking/clusters.js";
import { isWorthTaking } from "../../../../src/ranking/outcomes.js";
import { judgeStudent } from "../../../../src/stages/verify/judge-student.js";

const LAYERS = { kept_layers: [0, 2, 4, 7, 9, 11], teacher_layers: 12 };

function judge(
  own: readonly number[],
  teacher: readonly number[],
  maxDrop = 0.01,
  clusters = standingAlone(own.length),
) {
  const [ours, theirs] = [Float64Array.from(own), Float64Array.from(teacher)];
  return judgeStudent({ ...LAYERS, maxDrop }, ours, theirs, clusters, compareQueries(ours, theirs, clusters));
}

/** So many queries of one value, the student's off by `gap` in turns up and down around `drop`. */
const queries = (count: number, value: number, drop = 0, gap = 0) =>
  Array.from({ length: count }, (_, index) => value - drop + (index % 2 === 0 ? gap : -gap));

describe("a student", () => {
  test("that loses less than is allowed on every query is to be taken, with what it keeps", () => {
    const verdict = judge(queries(40, 0.8, 0.004), queries(40, 0.8));
    expect(verdict).toMatchObject({ outcome: "within_limit", advice: "take the student" });
    expect(verdict.student).toMatchObject({ ...LAYERS, gate: { gate: "student_max_drop", outcome: "passed" } });
    expect(verdict.student.share).toBeCloseTo(0.995, 10);
    expect(isWorthTaking(verdict)).toBe(true);
  });

  test("whose whole interval lies below the allowed loss fails, by how much it missed", () => {
    const verdict = judge(queries(40, 0.8, 0.03), queries(40, 0.8));
    expect(verdict).toMatchObject({ outcome: "beyond_limit", advice: "keep the teacher" });
    expect(verdict.student.gate.missed_by).toBeCloseTo(0.02, 10);
    expect(isWorthTaking(verdict)).toBe(false);
  });

  test("is not let through by a split that cannot tell, and the smallest loss it could show is said", () => {
    // Differences of +-0.1 over 20 queries: sd 0.1026, so 2.8016 * 0.1026 / sqrt(20) = 0.0643.
    const verdict = judge(queries(20, 0.5, 0, 0.1), queries(20, 0.5));
    expect(verdict).toMatchObject({ outcome: "inconclusive", advice: "keep the teacher" });
    expect(verdict.summary).toContain("the smallest loss they could show is 0.0643");
    expect(isWorthTaking(verdict)).toBe(false);
  });

  test("need not win: no gain at all passes, and so does a gain", () => {
    expect(judge(queries(30, 0.7), queries(30, 0.7), 0).outcome).toBe("within_limit");
    expect(judge(queries(30, 0.9), queries(30, 0.7)).outcome).toBe("within_limit");
  });

  test("is judged over clusters of queries: one cluster tells nothing", () => {
    expect(judge(queries(30, 0.9), queries(30, 0.7), 0.01, new Array(30).fill(0)).outcome).toBe("inconclusive");
  });

  test("of a teacher that ranks nothing right keeps no share, which is said", () => {
    const verdict = judge([0, 0, 0], [0, 0, 0]);
    expect(verdict.student).toMatchObject({ share: null, share_interval: null });
    expect(verdict.summary).toContain("no measurable share of the teacher's NDCG@10");
  });

  test("has all of it in one line", () => {
    expect(judge(queries(4, 0.5, 0.25), queries(4, 0.5), 0.3).summary).toBe(
      "take the student: within the allowed loss of 0.3000; with 6 of 12 layers it keeps 50.00 % [50.00, 50.00] of the teacher's NDCG@10, NDCG@10 -0.2500 [-0.2500, -0.2500] against the teacher over 4 test queries; 0 better, 0 equal, 4 worse; the smallest loss they could show is 0.0000",
    );
  });
});
