// The gates of verify as an in-toto test result v0.1: https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md. Pure.
import { type Statement, type Subject, statement } from "./statement.js";

export const TEST_RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1";

export interface GateFact {
  /** Variant or part that was measured. */
  of: string;
  gate: string;
  outcome: "passed" | "failed" | "inconclusive";
  measured: number | null;
  limit: number;
}

/**
 * One test a gate, `variant/provider/gate`. A gate that could not be decided is a warning; any that failed makes the whole FAILED.
 * @param report sha256 (hex) of the full report, which stays where it is: it can hold names of the user's data.
 */
export function testResultStatement(
  subjects: readonly Subject[],
  gates: readonly GateFact[],
  limits: object,
  report: string,
): Statement {
  const named = (outcome: GateFact["outcome"]): string[] =>
    gates.filter((gate) => gate.outcome === outcome).map(({ of, gate }) => `${of}/${gate}`);
  const [passedTests, warnedTests, failedTests] = [named("passed"), named("inconclusive"), named("failed")];
  return statement(subjects, TEST_RESULT_TYPE, {
    result: failedTests.length > 0 ? "FAILED" : warnedTests.length > 0 ? "WARNED" : "PASSED",
    configuration: [
      { name: "verify.gates", annotations: limits },
      { name: "verify-report", digest: { sha256: report } },
    ],
    passedTests,
    warnedTests,
    failedTests,
    // Beyond the predicate's own fields, which readers of v0.1 pass over.
    measurements: gates.map(({ of, gate, measured, limit }) => ({ test: `${of}/${gate}`, measured, limit })),
  });
}
