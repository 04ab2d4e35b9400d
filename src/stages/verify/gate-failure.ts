// What a finished verify holds against passing, as an error for the person. Measures and decides nothing.
import { type Problem, RerankTuneError } from "../../errors.js";
import { isWorthTaking } from "../../ranking/outcomes.js";
import type { GateResult, VerifyOutput } from "./schema.js";

const GATES_HINT =
  "raise the limit (`--set verify.gates...`), leave the variant out (`--set quantize.int8=false`), or train better";
const STUDENT_HINT =
  "keep more layers (`--set train.student.layers=...`), train longer, test on more queries, or allow a larger loss (`--set verify.gates.student_max_drop=0.02`); to take the student nevertheless: `--set publish.against_verdict=true`";
const VERDICT_HINT =
  "label more queries or train otherwise; to take the tuned model nevertheless: `--set publish.against_verdict=true`";

/**
 * GATE_FAILED for a version that should not be taken: no significant gain, or a missed gate. The verdict speaks first.
 * @param againstVerdict whether the recipe takes the model whatever the verdict says; gates stay.
 */
export function versionFailure(output: VerifyOutput, againstVerdict: boolean): RerankTuneError | undefined {
  const { verdict } = output;
  if (verdict === null || isWorthTaking(verdict) || againstVerdict) return gateFailure(output, GATES_HINT);
  return new RerankTuneError({
    code: "GATE_FAILED",
    message: `${verdict.summary.slice(0, 1).toUpperCase()}${verdict.summary.slice(1)}.`,
    hint: verdict.student === undefined ? VERDICT_HINT : STUDENT_HINT,
    problems: missedGates(output),
  });
}

/** GATE_FAILED with every missed limit and by how much, or undefined when none was missed. */
export function gateFailure(output: VerifyOutput, hint: string): RerankTuneError | undefined {
  const names = [...new Set(failedParts(output).map(({ name }) => name))];
  if (names.length === 0) return undefined;
  return new RerankTuneError({
    code: "GATE_FAILED",
    message: `${names.join(" and ")} ${names.length === 1 ? "misses" : "miss"} a gate.`,
    hint,
    problems: missedGates(output),
  });
}

/** Variants and guard sets that failed, each with its gates. */
function failedParts({ variants, verdict }: VerifyOutput): { name: string; gates: readonly GateResult[] }[] {
  const guards = verdict?.guards.filter(({ gate }) => gate.outcome === "failed") ?? [];
  return [
    ...variants.filter(({ outcome }) => outcome === "failed"),
    ...guards.map(({ name, gate }) => ({ name: `guard ${name}`, gates: [gate] })),
  ];
}

function missedGates(output: VerifyOutput): Problem[] {
  return failedParts(output).flatMap(({ name, gates }) =>
    gates
      .filter(({ outcome }) => outcome === "failed")
      .map((gate) => ({ path: `${name} ${gate.gate}`, message: missedBy(gate) })),
  );
}

function missedBy({ measured, limit, missed_by, detail }: GateResult): string {
  const by = missed_by === undefined ? "" : `, missed by ${Number(missed_by.toPrecision(3))}`;
  const what = measured === null ? "nothing measured" : `measured ${Number(measured.toPrecision(3))}`;
  return `${what}, limit ${limit}${by}: ${detail}`;
}
