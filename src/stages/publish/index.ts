// Stage `publish`: turns a verified package into one immutable version of the local registry, with its card and report.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { hashText } from "../../artifacts/hash.js";
import { jsonOf } from "../../artifacts/json-value.js";
import { RECORDS_FOLDER } from "../../artifacts/manifest.js";
import { RerankTuneError } from "../../errors.js";
import type { BaseLicense } from "../../hub/base-license.js";
import type { PackageManifest } from "../../model-folder/layout.js";
import { readPackageManifest } from "../../model-folder/open.js";
import type { ResolvedRecipe, Stage, StageContext, StageInput, StageInputs } from "../../pipeline/stage.js";
import {
  evidenceOf,
  openRegistry,
  REPORT_TYPE,
  type Referrer,
  type Registry,
  signedBy,
  type VersionFacts,
} from "../../registry/index.js";
import type { PackageOutput } from "../package/schema.js";
import type { VerifyOutput } from "../verify/schema.js";
import { renderCard } from "./card.js";
import { billsOfMaterials, evidenceBeside, readBuildFacts, signingKey } from "./evidence.js";
import { checkVerdict, selectVariants } from "./preflight.js";
import type { PublishOptions, PublishOutput } from "./schema.js";
import { int8Alone, modelVersion, teiName, teiVersion } from "./versions.js";

/** verify's full report, with timings, in the records of its artifact. */
const REPORT_FILE = "report.json";

type Upstream = "package" | "verify";

export const publish: Stage<PublishOptions, PublishOutput, Upstream> = {
  name: "publish",
  // 5: the folder for TEI has a card.
  version: 5,
  needs: ["package", "verify"],
  options: (recipe) => ({
    name: recipe.publish.name ?? recipe.name,
    alias: recipe.publish.alias,
    against_verdict: recipe.publish.against_verdict,
    registry_dir: recipe.registry_dir,
    recipe_name: recipe.name,
    ...licenseOf(recipe),
    languages: recipe.package.languages,
    ...(recipe.package.description === undefined ? {} : { description: recipe.package.description }),
    base_identity: recipe.base_identity,
    ...(recipe.publish.sign_with === undefined ? {} : { sign_with: recipe.publish.sign_with }),
  }),
  sources: () => [],
  tools: ({ rerank_tune }) => ({ rerank_tune }),
  run,
  stale,
};

async function run(
  context: StageContext,
  options: PublishOptions,
  inputs: StageInputs<Upstream>,
): Promise<PublishOutput> {
  const packaged = inputs.package;
  const { model, tei_int8 } = packaged.output as PackageOutput;
  const verified = inputs.verify.output as VerifyOutput;
  const folder = join(packaged.dir, model);
  const { manifest, withheld } = selectVariants(await readPackageManifest(folder), verified);
  const objection = checkVerdict(verified.verdict, options.against_verdict);
  if (objection !== undefined) context.emit({ type: "warning", message: objection });
  for (const { name, reason } of withheld)
    context.emit({ type: "warning", message: `${name} is held back: ${reason}` });
  const { name, alias } = options;
  const key = await signingKey(options.sign_with);
  const card = renderCard({ ...options, manifest, verified, withheld });
  const registry = await openRegistry(options.registry_dir, { create: true });
  const report = await verifyReport(inputs.verify);
  const build = await readBuildFacts(packaged.dir);
  const sboms = await billsOfMaterials(manifest.rerank_tune);
  const travelling = { verified, report: hashText(report.content), build, sboms, key };
  const evidenceOn = (part: PackageManifest) => (version: VersionFacts) =>
    evidenceBeside(registry, version, { ...travelling, manifest: part });
  const shared = { alias, now: context.now(), reason: `publish ${options.recipe_name}` };
  const variants = manifest.variants.map((variant) => variant.name);
  const hasInt8 = variants.includes("int8") && tei_int8 !== undefined;
  // Both aliases are asked before the first version goes in, so that a refusal leaves everything as it was.
  if (hasInt8) await registry.refuseReport(teiName(name), alias, jsonOf(report.content), ["int8"]);
  await registry.refuseReport(name, alias, jsonOf(report.content), variants);
  // The folder for TEI goes first: whoever sees the new version finds its int8 folder too.
  context.emit({ type: "phase", name: "publish_tei" });
  const tei = hasInt8
    ? await registry.publishVersion({
        ...shared,
        ...(await teiVersion(join(packaged.dir, tei_int8), options, manifest, verified)),
        referrers: [report],
        evidence: evidenceOn(int8Alone(manifest)),
      })
    : undefined;
  context.emit({ type: "phase", name: "publish_model" });
  const published = await registry.publishVersion({
    ...shared,
    ...modelVersion(folder, options, manifest, card),
    referrers: [report],
    evidence: evidenceOn(manifest),
  });
  if (!published.added)
    context.emit({ type: "note", message: `${published.version} was published before; nothing was added` });
  return {
    version: published.version,
    name,
    digest: published.digest,
    alias,
    registry: registry.root,
    variants,
    withheld,
    signed_by: key?.id ?? null,
    ...(tei === undefined ? {} : { tei_version: tei.version }),
  };
}

/** The recipe's word, else that of the base's own card. */
function licenseOf({ package: { license }, base_license }: ResolvedRecipe): BaseLicense {
  return license === undefined ? (base_license ?? { license: "other" }) : { license };
}

/** The report travels beside the version, not in it: its timings would give every run another digest. */
async function verifyReport(verify: StageInput): Promise<Referrer> {
  const full = await readFile(join(verify.dir, RECORDS_FOLDER, REPORT_FILE), "utf8").catch((error) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return JSON.stringify(verify.output);
  });
  return { artifactType: REPORT_TYPE, content: full };
}

/** A registry can be moved, emptied or repointed behind the pipeline's back. */
async function stale(options: PublishOptions, output: PublishOutput): Promise<string | undefined> {
  try {
    const registry = await openRegistry(options.registry_dir);
    const { aliases } = await registry.show(output.version);
    if (!aliases.includes(output.alias)) return `${output.name}:${output.alias} points to another version`;
    return await unsigned(registry, options, output);
  } catch (error) {
    if (error instanceof RerankTuneError)
      return error.code === "REGISTRY_NOT_FOUND" ? "the registry does not hold the version" : error.message;
    throw error;
  }
}

/** A new key under the same name signs too. A key that is not at hand now leaves what was signed before. */
async function unsigned(
  registry: Registry,
  { sign_with }: PublishOptions,
  output: PublishOutput,
): Promise<string | undefined> {
  const key = await signingKey(sign_with).catch(() => undefined);
  if (key === undefined) return undefined;
  const there = await evidenceOf(await registry.frozen(output.version));
  return signedBy(there, key).size > 0 ? undefined : "the key of `publish.sign_with` has not signed the version";
}
