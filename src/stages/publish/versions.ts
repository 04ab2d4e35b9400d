// What goes into the registry: the package as one version, and its folder for Text Embeddings Inference as another under a name of its own.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { hashText } from "../../artifacts/hash.js";
import { MODEL_FILES, type PackageManifest, VARIANT_FILES } from "../../model-folder/layout.js";
import type { PublishedFile, PublishRequest } from "../../registry/index.js";
import type { VerifyOutput } from "../verify/schema.js";
import { renderTeiCard } from "./card.js";
import type { PublishOptions } from "./schema.js";

type Version = Pick<PublishRequest, "name" | "files" | "config">;

/** The whole package, with its card. */
export function modelVersion(
  folder: string,
  options: PublishOptions,
  manifest: PackageManifest,
  card: string,
): Version {
  const readme = { path: MODEL_FILES.card, bytes: Buffer.byteLength(card), sha256: hashText(card) };
  const complete: PackageManifest = { ...manifest, files: [...manifest.files, readme] };
  const files: PublishedFile[] = manifest.files.map(({ path, sha256 }) => ({
    path,
    source: join(folder, path),
    sha256,
  }));
  files.push({ path: MODEL_FILES.card, source: { content: card } });
  files.push({ path: MODEL_FILES.manifest, source: { content: `${JSON.stringify(complete, null, 2)}\n` } });
  return { name: options.name, files, config: modelPackConfig(options.name, options.license, manifest, "float32") };
}

/** The manifest as far as it concerns the folder for TEI. */
export const int8Alone = (manifest: PackageManifest): PackageManifest => ({
  ...manifest,
  variants: manifest.variants.filter(({ name }) => name === "int8"),
});

export const teiName = (name: string): string => `${name}-int8`;

/**
 * Its graph is the int8 one of the model, so the registry has the bytes once.
 * @param manifest of the whole model.
 */
export async function teiVersion(
  folder: string,
  options: PublishOptions,
  manifest: PackageManifest,
  verified: VerifyOutput,
): Promise<Version> {
  const digests = new Map(manifest.files.map(({ path, sha256 }) => [path, sha256]));
  const names = (await readdir(folder)).filter((name) => name !== "onnx").sort();
  const files: PublishedFile[] = names.map((path) => ({ path, source: join(folder, path) }));
  files.push({
    path: VARIANT_FILES.fp32,
    source: join(folder, VARIANT_FILES.fp32),
    sha256: digests.get(VARIANT_FILES.int8),
  });
  const name = teiName(options.name);
  const input = { ...options, name, manifest: int8Alone(manifest), verified, withheld: [] };
  files.push({ path: MODEL_FILES.card, source: { content: renderTeiCard(input, options.name) } });
  return { name, files, config: modelPackConfig(name, options.license, manifest, "int8") };
}

function modelPackConfig(
  name: string,
  license: string,
  manifest: PackageManifest,
  precision: string,
): PublishRequest["config"] {
  return {
    descriptor: { name, licenses: [license], sourceURL: manifest.base_model },
    config: {
      architecture: "transformer",
      format: "onnx",
      precision,
      ...(precision === "int8" ? { quantization: "int8" } : {}),
    },
  };
}
