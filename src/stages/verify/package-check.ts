// Opens a packaged model folder and trusts nothing in it before every listed byte was hashed again. Never writes.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ZodType } from "zod";
import { hashFile, listFiles } from "../../artifacts/hash.js";
import { interrupted, type Problem, RerankTuneError } from "../../errors.js";
import { EVIDENCE_FILES, SIGNATURE_FILE } from "../../evidence/model-signing.js";
import { incomingProblems, refuseUnsafe } from "../../model-folder/incoming.js";
import { contentProblems } from "../../model-folder/incoming-content.js";
import { folderContent } from "../../model-folder/incoming-folder.js";
import {
  type GoldenPairs,
  goldenPairsSchema,
  MODEL_FILES,
  type PackageManifest,
  packageManifestSchema,
  VARIANT_FILES,
  type VariantName,
} from "../../model-folder/layout.js";

export interface PresentVariant {
  name: VariantName;
  /** ONNX file relative to the folder. */
  file: string;
  bytes: number;
}

export interface OpenedPackage {
  manifest: PackageManifest;
  golden: GoldenPairs;
  /** Variants whose files are there; fp32 comes first. */
  variants: PresentVariant[];
  /** Size of model.safetensors; 0 when the package ships none. */
  weightBytes: number;
}

/**
 * Hashes every listed file again. A variant other than fp32 may be missing as a whole: that is how a version without a
 * failed variant is published.
 * @throws RerankTuneError PACKAGE_INVALID with every file that is missing, changed or not listed; UNSAFE_INPUT with every file that
 * could do harm, before any is read where its name, kind or size says so.
 */
export async function openPackage(folder: string, signal?: AbortSignal): Promise<OpenedPackage> {
  const content = await folderContent(folder, true);
  refuseUnsafe(folder, [...content.problems, ...incomingProblems(content.files)]);
  const manifest = await readJson(folder, MODEL_FILES.manifest, packageManifestSchema);
  refuseUnsafe(folder, incomingProblems(manifest.files.map(({ path, bytes }) => ({ path, size: bytes }))));
  const present = new Set(await listFiles(folder));
  const variants = presentVariants(manifest, present);
  const absent = absentFiles(manifest, variants);
  const problems = unlistedFiles(manifest, present);
  for (const file of manifest.files) {
    if (signal?.aborted) throw interrupted(signal);
    if (absent.has(file.path)) continue;
    const message = await fileProblem(join(folder, file.path), file);
    if (message !== undefined) problems.push({ path: file.path, message });
  }
  if (problems.length > 0) throw invalid(folder, `${problems.length} of its files are not as packaged`, problems);
  const listed = [...present].map((path) => ({ path, file: join(folder, path) }));
  refuseUnsafe(folder, await contentProblems(listed, "do not serve it: a reranker needs no code of its own"));
  if (variants[0]?.name !== "fp32") throw invalid(folder, "it has no fp32 graph", []);
  const golden = await readJson(folder, MODEL_FILES.golden, goldenPairsSchema);
  const weightBytes = manifest.files.find(({ path }) => path === MODEL_FILES.weights)?.bytes ?? 0;
  return { manifest, golden, variants, weightBytes };
}

function presentVariants(manifest: PackageManifest, present: ReadonlySet<string>): PresentVariant[] {
  return manifest.variants
    .filter(({ name, files }) => name === "fp32" || files.some((file) => present.has(file)))
    .map(({ name, bytes }) => ({ name, bytes, file: VARIANT_FILES[name] }))
    .sort((left, right) => Number(right.name === "fp32") - Number(left.name === "fp32"));
}

function absentFiles(manifest: PackageManifest, variants: readonly PresentVariant[]): Set<string> {
  const there = new Set<string>(variants.map(({ name }) => name));
  return new Set(manifest.variants.filter(({ name }) => !there.has(name)).flatMap(({ files }) => files));
}

function unlistedFiles(manifest: PackageManifest, present: ReadonlySet<string>): Problem[] {
  // A signature comes after the manifest, and whatever it is worth is another question.
  const known = [MODEL_FILES.manifest, SIGNATURE_FILE, ...EVIDENCE_FILES];
  const listed = new Set<string>([...known, ...manifest.files.map(({ path }) => path)]);
  return [...present]
    .filter((path) => !listed.has(path))
    .map((path) => ({ path, message: "is not listed in the manifest" }));
}

async function fileProblem(path: string, expected: { bytes: number; sha256: string }): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return "is missing";
  if (found.size !== expected.bytes) return `has ${found.size} bytes instead of ${expected.bytes}`;
  const sha256 = await hashFile(path);
  return sha256 === expected.sha256 ? undefined : `has sha256 ${sha256} instead of ${expected.sha256}`;
}

async function readJson<Shape>(folder: string, name: string, schema: ZodType<Shape>): Promise<Shape> {
  const text = await readFile(join(folder, name), "utf8").catch(() => undefined);
  if (text === undefined) throw invalid(folder, `${name} is missing`, []);
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw invalid(folder, `${name} cannot be read`, [{ path: name, message: (cause as Error).message.slice(0, 500) }]);
  }
}

function invalid(folder: string, reason: string, problems: Problem[]): RerankTuneError {
  return new RerankTuneError({
    code: "PACKAGE_INVALID",
    message: `${folder} cannot be verified: ${reason}.`,
    hint: "give the folder that `rerank-tune run` printed as package, or fetch it again with `rerank-tune registry pull`",
    problems,
  });
}
