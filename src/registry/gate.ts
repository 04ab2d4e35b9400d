// Whether a version may stand under a protected alias: what verify's newest report on it says of the variants that it holds.
import { z } from "zod";
import { jsonOf } from "../artifacts/json-value.js";
import { type Problem, RerankTuneError } from "../errors.js";
import { MODEL_FILES } from "../model-folder/layout.js";
import { isWorthTaking, type TunedOutcome } from "../ranking/outcomes.js";
import type { BlobStore } from "./blobs.js";
import { FILE_PATH, type OciIndex, type OciManifest, REPORT_TYPE } from "./format.js";
import { referrerEntries } from "./index-file.js";
import { type GateRule, protectedAliases } from "./protection.js";
import { readManifest } from "./read.js";
import { shortDigest } from "./reference.js";

const gateSchema = z.looseObject({
  gate: z.string(),
  outcome: z.enum(["passed", "failed", "inconclusive"]),
  measured: z.number().nullable().optional(),
  limit: z.number().optional(),
});

/** The part of verify's report that decides; the rest is not looked at. */
const reportSchema = z.looseObject({
  verdict: z
    .looseObject({ outcome: z.string(), guards: z.array(z.looseObject({ gate: gateSchema })).default([]) })
    .nullable()
    .default(null),
  variants: z.array(z.looseObject({ name: z.string(), provider: z.string(), gates: z.array(gateSchema) })),
});

/**
 * What speaks against a version, gate by gate; empty when nothing does. Guard sets are numbered: their names can be a client's.
 * @param report content of verify's report.
 * @param variants those that the version holds: what was withheld does not count against it.
 */
export function objections(report: unknown, variants: readonly string[], rule: GateRule): Problem[] {
  const parsed = reportSchema.safeParse(report);
  if (!parsed.success) return [{ path: "report", message: "it is not a report of verify" }];
  const { verdict, variants: measured } = parsed.data;
  const problems: Problem[] = [];
  const judge = (path: string, gate: z.infer<typeof gateSchema>): void => {
    if (gate.outcome === "passed" || (gate.outcome === "inconclusive" && rule === "not_failed")) return;
    const limit = gate.limit === undefined ? "" : `, limit ${gate.limit}`;
    problems.push({
      path: `${path} ${gate.gate}`,
      message: `${gate.outcome}: measured ${typeof gate.measured === "number" ? Number(gate.measured.toPrecision(3)) : "nothing"}${limit}`,
    });
  };
  for (const name of variants) {
    const reports = measured.filter((entry) => entry.name === name);
    if (reports.length === 0) problems.push({ path: name, message: "verify did not measure it" });
    for (const { provider, gates } of reports) for (const gate of gates) judge(`${name} on ${provider}`, gate);
  }
  for (const [at, { gate }] of (verdict?.guards ?? []).entries()) judge(`guard set ${at + 1}`, gate);
  if (verdict !== null && !isWorthTaking({ outcome: verdict.outcome as TunedOutcome }))
    problems.push({ path: "verdict", message: `the model is not shown to be worth having: ${verdict.outcome}` });
  return problems;
}

/** Digest of the newest report of verify on a version; undefined when it carries none. */
export async function newestReport(
  store: BlobStore,
  index: OciIndex,
  version: string,
): Promise<{ digest: string; content: unknown } | undefined> {
  const reports = referrerEntries(index).filter(({ artifactType }) => artifactType === REPORT_TYPE);
  for (const { digest } of reports.reverse()) {
    const { subject, layers } = await readManifest(store, digest, REPORT_TYPE);
    const [layer] = layers;
    if (subject?.digest === version && layer !== undefined)
      return { digest, content: jsonOf((await store.read(layer.digest)).toString("utf8")) };
  }
  return undefined;
}

/** Why a version may not stand under an alias protected by `rule`; empty when it may. */
export async function objectionsTo(
  store: BlobStore,
  index: OciIndex,
  version: string,
  rule: GateRule,
): Promise<Problem[]> {
  const report = await newestReport(store, index, version);
  if (report === undefined) return [{ path: "report", message: "the version carries no report of verify" }];
  const variants = await variantsOf(store, await readManifest(store, version));
  return objections(report.content, variants, rule);
}

/**
 * Lets an alias move, or not.
 * @param index as it would be after the move, so that a report published with the version counts.
 * @returns digest of the report on which the move rests, for the log; undefined where there is none and the alias is free.
 * @throws RerankTuneError GATE_FAILED when the alias is protected and the version does not pass.
 */
export async function passGate(
  store: BlobStore,
  index: OciIndex,
  name: string,
  alias: string,
  version: string,
): Promise<string | undefined> {
  const rule = protectedAliases(index)[`${name}:${alias}`];
  if (rule !== undefined) {
    const problems = await objectionsTo(store, index, version, rule);
    if (problems.length > 0) throw protectedAlias(`${name}:${alias}`, shortDigest(version), problems);
  }
  return (await newestReport(store, index, version))?.digest;
}

/**
 * Holds a report that is not in the registry yet against a protected alias, so that a publisher can stop before anything moves.
 * @param variants those that the version will hold.
 * @throws RerankTuneError GATE_FAILED
 */
export function refuseReport(
  index: OciIndex,
  name: string,
  alias: string,
  report: unknown,
  variants: readonly string[],
): void {
  const rule = protectedAliases(index)[`${name}:${alias}`];
  const problems = rule === undefined ? [] : objections(report, variants, rule);
  if (problems.length > 0) throw protectedAlias(`${name}:${alias}`, "the version to publish", problems);
}

/** The refusal of a protected alias. */
function protectedAlias(reference: string, version: string, problems: Problem[]): RerankTuneError {
  const onlyOpen = problems.every(({ message }) => message.startsWith("inconclusive"));
  const open = onlyOpen
    ? "; gates that are inconclusive are let through by `rerank-tune registry protect ... --allow-inconclusive`"
    : "";
  return new RerankTuneError({
    code: "GATE_FAILED",
    message: `${reference} is protected and does not move: ${version} does not pass verify.`,
    hint: `publish a version that passes, roll back to one that ${reference} held before, or free the alias with \`rerank-tune registry unprotect\`${open}`,
    problems,
  });
}

/** By the package's own manifest; the folder for TEI has none, its config names the one graph in it. */
async function variantsOf(store: BlobStore, manifest: OciManifest): Promise<string[]> {
  const layer = manifest.layers.find(({ annotations }) => annotations?.[FILE_PATH] === MODEL_FILES.manifest);
  const own = z.object({ variants: z.array(z.object({ name: z.string() })) });
  const packaged =
    layer === undefined ? undefined : own.safeParse(jsonOf((await store.read(layer.digest)).toString("utf8"))).data;
  if (packaged !== undefined) return packaged.variants.map(({ name }) => name);
  const config = z.object({ config: z.object({ precision: z.string() }) });
  const found = config.safeParse(jsonOf((await store.read(manifest.config.digest)).toString("utf8"))).data;
  return [found?.config.precision === "int8" ? "int8" : "fp32"];
}
