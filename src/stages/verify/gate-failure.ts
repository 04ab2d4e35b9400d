// What a finished verify holds against passing, as an error for the person. Measures and decides nothing.
import { type Problem, RerankTuneError } from "../../errors.js";
import type { GateResult, VariantReport, VerifyOutput } from "./schema.js";

/** GATE_FAILED with every missed limit and by how much, or undefined when none was missed. */
export function gateFailure(output: VerifyOutput, hint: string): RerankTuneError | undefined {
  const failed = output.variants.filter(({ outcome }) => outcome === "failed");
  if (failed.length === 0) return undefined;
  const names = [...new Set(failed.map(({ name }) => name))];
  return new RerankTuneError({
    code: "GATE_FAILED",
    message: `${names.join(" and ")} ${names.length === 1 ? "misses" : "miss"} a gate.`,
    hint,
    problems: failed.flatMap(missedGates),
  });
}

function missedGates({ name, gates }: VariantReport): Problem[] {
  const missed = gates.filter(({ outcome }) => outcome === "failed");
  return missed.map((gate) => ({ path: `${name} ${gate.gate}`, message: missedBy(gate) }));
}

function missedBy({ measured, limit, missed_by, detail }: GateResult): string {
  const by = missed_by === undefined ? "" : `, missed by ${Number(missed_by.toPrecision(3))}`;
  const what = measured === null ? "nothing measured" : `measured ${Number(measured.toPrecision(3))}`;
  return `${what}, limit ${limit}${by}: ${detail}`;
}
