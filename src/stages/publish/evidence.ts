// What travels beside a version: provenance, gates and bills of materials, signed where the recipe names a key. No paths, no user text.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { RECORDS_FOLDER } from "../../artifacts/manifest.js";
import { homeFolder } from "../../environment/home.js";
import { type InstalledPackages, npmPackages, pythonPackages } from "../../environment/installed.js";
import { readNamed, readPassword } from "../../environment/named-secret.js";
import { RerankTuneError } from "../../errors.js";
import { BUILD_RECORD, type BuildFacts, buildFactsSchema, NO_FACTS } from "../../evidence/build-records.js";
import { readSigningKey, type SigningKey } from "../../evidence/keys.js";
import { provenanceStatement } from "../../evidence/provenance.js";
import { sbomText } from "../../evidence/sbom.js";
import { type GateFact, testResultStatement } from "../../evidence/test-result.js";
import type { PackageManifest } from "../../model-folder/layout.js";
import { isWorthTaking } from "../../ranking/outcomes.js";
import {
  type Evidence,
  evidenceOf,
  type Referrer,
  type Registry,
  sbomReferrer,
  signatures,
  statementReferrer,
  subjectsOf,
  type VersionFacts,
} from "../../registry/index.js";
import type { Verdict, VerifyOutput } from "../verify/schema.js";

export interface EvidenceInput {
  manifest: PackageManifest;
  verified: VerifyOutput;
  /** sha256 (hex) of verify's report. */
  report: string;
  build: BuildFacts;
  sboms: readonly Referrer[];
  key: SigningKey | undefined;
}

/** @throws RerankTuneError KEY_UNUSABLE; undefined where the recipe names no key. */
export async function signingKey(where: string | undefined): Promise<SigningKey | undefined> {
  if (where === undefined) return undefined;
  const named = where.startsWith("env:") ? where : "publish.sign_with";
  return readSigningKey(await readNamed(where, "the signing key"), named, await readPassword(undefined));
}

/** What package noted of the stages before it. */
export async function readBuildFacts(packageDir: string): Promise<BuildFacts> {
  const text = await readFile(join(packageDir, RECORDS_FOLDER, BUILD_RECORD), "utf8").catch(() => undefined);
  return text === undefined ? NO_FACTS : buildFactsSchema.parse(JSON.parse(text));
}

/** Bills of what runs here now. */
export async function billsOfMaterials(rerankTune: string): Promise<Referrer[]> {
  const bill = (environment: string, { packages, properties }: InstalledPackages): Referrer =>
    sbomReferrer(environment, sbomText({ environment, rerank_tune: rerankTune, components: packages, properties }));
  return [bill("python", await pythonPackages(homeFolder())), bill("npm", await npmPackages())];
}

/** Everything beside one version; what lies there already and was signed by this key is not signed again. */
export async function evidenceBeside(
  registry: Registry,
  version: VersionFacts,
  input: EvidenceInput,
): Promise<Referrer[]> {
  const { manifest, verified, report, build, sboms, key } = input;
  const subjects = subjectsOf(version);
  const { base_model, recipe, data, host, versions, rerank_tune } = manifest;
  const facts = { base_model, recipe, data, host, versions, rerank_tune };
  const limits = (recipe.verify as { gates?: object } | undefined)?.gates ?? {};
  const added = [
    statementReferrer(provenanceStatement({ subjects, ...facts, build, report })),
    statementReferrer(testResultStatement(subjects, gateFacts(verified, manifest), limits, report)),
    ...sboms,
  ];
  if (key === undefined) return added;
  return [...added, ...signatures(version, await besides(registry, version), added, key)];
}

async function besides(registry: Registry, { name, digest }: VersionFacts): Promise<Evidence[]> {
  try {
    return await evidenceOf(await registry.frozen(`${name}@${digest}`));
  } catch (error) {
    if (error instanceof RerankTuneError && error.code === "REGISTRY_NOT_FOUND") return [];
    throw error;
  }
}

/** Gates of the variants in the version. Guard sets and slices bear names of the user's data, so they are counted, not named. */
export function gateFacts(verified: VerifyOutput, manifest: PackageManifest): GateFact[] {
  const published = new Set<string>(manifest.variants.map(({ name }) => name));
  const variants = verified.variants
    .filter(({ name }) => published.has(name))
    .flatMap(({ name, provider, gates }) => gates.map((gate) => ({ of: `${name}/${provider}`, ...plain(gate) })));
  return [...variants, ...verdictFacts(verified.verdict)];
}

function verdictFacts(verdict: Verdict | null): GateFact[] {
  if (verdict === null) return [];
  const { guards, student, comparison, outcome, against } = verdict;
  const guard = guards.map(({ gate }, at) => ({ of: `guard-${at + 1}`, ...plain(gate) }));
  if (student !== undefined) return [...guard, { of: "student", ...plain(student.gate) }];
  const better: GateFact["outcome"] = isWorthTaking(verdict)
    ? "passed"
    : outcome === "worse"
      ? "failed"
      : "inconclusive";
  return [
    ...guard,
    { of: "tuned", gate: `better_than_${against}`, outcome: better, measured: comparison.mean, limit: 0 },
  ];
}

/** Without its detail, which is words. */
function plain({ gate, outcome, measured, limit }: Omit<GateFact, "of">): Omit<GateFact, "of"> {
  return { gate, outcome, measured, limit };
}
