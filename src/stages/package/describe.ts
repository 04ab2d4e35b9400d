// What lies in a package: every file with its digest, and which of them make a variant. Reads only.

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { hashFile, listFiles } from "../../artifacts/hash.js";
import { interrupted } from "../../errors.js";
import { EXTERNAL_DATA, type PackageManifest, VARIANT_FILES, type VariantName } from "../../model-folder/layout.js";
import type { StageContext } from "../../pipeline/stage.js";

type Files = PackageManifest["files"];

/** Every file of the folder, hashed, by path. @throws RerankTuneError INTERRUPTED, TERMINATED */
export async function describeFiles(folder: string, context: StageContext): Promise<Files> {
  const paths = await listFiles(folder);
  const files: Files = [];
  for (const path of paths) {
    if (context.signal.aborted) throw interrupted(context.signal);
    files.push({ path, bytes: (await stat(join(folder, path))).size, sha256: await hashFile(join(folder, path)) });
    context.emit({ type: "progress", completed: files.length, total: paths.length, unit: "files" });
  }
  return files;
}

/** A variant's graph, with the external weights where it has them. */
export function variantEntry(name: VariantName, files: Files): PackageManifest["variants"][number] {
  const own = files.filter(({ path }) => path === VARIANT_FILES[name] || (name === "fp32" && path === EXTERNAL_DATA));
  return { name, files: own.map(({ path }) => path), bytes: own.reduce((sum, { bytes }) => sum + bytes, 0) };
}
