// What may be published: decides from verify's output, and says why a variant is held back. Pure.
import { RerankTuneError } from "../../errors.js";
import type { PackageManifest } from "../../model-folder/layout.js";
import { isWorthTaking } from "../../ranking/outcomes.js";
import type { GateResult, VariantReport, Verdict, VerifyOutput } from "../verify/schema.js";

export interface Selection {
  /** Manifest of the published folder: without the files of variants held back. */
  manifest: PackageManifest;
  withheld: { name: string; reason: string }[];
}

/**
 * Keeps the variants that verify passes.
 * @throws RerankTuneError GATE_FAILED when fp32 does not pass: it is the reference of all others and what most consumers open.
 */
export function selectVariants(manifest: PackageManifest, verified: VerifyOutput): Selection {
  const held = manifest.variants.filter(({ name }) => !verified.passing.includes(name));
  const withheld = held.map(({ name }) => ({ name, reason: reasonOf(reportsOf(verified, name)) }));
  if (held.some(({ name }) => name === "fp32")) throw refused(verified);
  const gone = new Set<string>(held.flatMap(({ files }) => files));
  const files = manifest.files.filter(({ path }) => !gone.has(path));
  return {
    manifest: { ...manifest, variants: manifest.variants.filter((variant) => !held.includes(variant)), files },
    withheld,
  };
}

/**
 * Holds the version back where the tuned model is not worth having, or gets worse on a guard set.
 * @param allowed `publish.against_verdict`: lifts the verdict, not the guard gates.
 * @returns what was overruled, in words; undefined when there is no objection.
 * @throws RerankTuneError GATE_FAILED when something speaks against publishing.
 */
export function checkVerdict(verdict: Verdict | null, allowed: boolean): string | undefined {
  if (verdict === null) return undefined;
  const missed = verdict.guards.filter(({ gate }) => gate.outcome === "failed");
  if (missed.length > 0) throw guardFailed(missed);
  if (isWorthTaking(verdict)) return undefined;
  if (allowed) return `published against the verdict, as \`publish.against_verdict\` says: ${verdict.summary}`;
  throw new RerankTuneError({
    code: "GATE_FAILED",
    message: `Nothing was published: ${verdict.summary}.`,
    hint: "label more queries or train otherwise; to publish it nevertheless: `--set publish.against_verdict=true`",
  });
}

function guardFailed(missed: Verdict["guards"]): RerankTuneError {
  const names = missed.map(({ name }) => name).join(" and ");
  return new RerankTuneError({
    code: "GATE_FAILED",
    message: `Nothing was published: the tuned model loses too much on guard set ${names}.`,
    hint: "train with less change (fewer epochs, a lower learning rate), or raise `verify.gates.guard_max_drop`",
    problems: missed.map(({ name, gate }) => ({ path: `guard ${name}`, message: gateText(gate) })),
  });
}

/** The gates a variant does not pass, with what was measured and by how much it misses. */
export function reasonOf(reports: readonly VariantReport[]): string {
  const unmet = reports.flatMap(({ gates }) => gates).filter(({ outcome }) => outcome === "failed");
  return unmet.length > 0
    ? unmet.map(gateText).join("; ")
    : reports.length === 0
      ? "verify did not measure it"
      : "verify did not pass it";
}

/** One gate in words. */
export function gateText({ gate, measured, limit, missed_by, detail }: GateResult): string {
  const missed = missed_by === undefined ? "" : `, misses it by ${short(missed_by)}`;
  return `${gate}: ${measured === null ? "not measured" : short(measured)} against a limit of ${short(limit)}${missed}${detail === "" ? "" : ` (${detail})`}`;
}

function reportsOf(verified: VerifyOutput, name: string): VariantReport[] {
  return verified.variants.filter((report) => report.name === name);
}

function refused(verified: VerifyOutput): RerankTuneError {
  const failed = reportsOf(verified, "fp32")
    .flatMap(({ gates }) => gates)
    .filter(({ outcome }) => outcome === "failed");
  return new RerankTuneError({
    code: "GATE_FAILED",
    message: `Nothing was published: fp32 does not pass verify (${reasonOf(reportsOf(verified, "fp32"))}).`,
    hint: "change `train` and run again, or change the limit under `verify.gates` in the recipe",
    problems: failed.map((gate) => ({ path: `verify.gates.${gate.gate}`, message: gateText(gate) })),
  });
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
