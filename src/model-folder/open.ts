// Reading what a packaged model folder says it is. Whether its files still are so is for verify to find out.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { jsonOf } from "../artifacts/json-value.js";
import { RerankTuneError } from "../errors.js";
import { MODEL_FILES, type PackageManifest, packageManifestSchema } from "./layout.js";

/**
 * Reads `rerank-tune.json` of a package.
 * @throws RerankTuneError MODEL_NOT_FOUND when there is no such folder; PACKAGE_INVALID when it is not a package.
 */
export async function readPackageManifest(folder: string): Promise<PackageManifest> {
  const path = join(folder, MODEL_FILES.manifest);
  const text = await readFile(path, "utf8").catch((error) => notFound(error, folder));
  const parsed = packageManifestSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => ({
    file: path,
    path: issue.path.join("."),
    message: issue.message,
  }));
  throw new RerankTuneError({
    code: "PACKAGE_INVALID",
    message: `${path} is not the manifest of a package.`,
    hint: "name a folder made by `rerank-tune run RECIPE` or `rerank-tune registry pull`",
    problems,
  });
}

function notFound(error: unknown, folder: string): never {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
  throw new RerankTuneError({
    code: "MODEL_NOT_FOUND",
    message: `${folder} has no ${MODEL_FILES.manifest}, so it is not a package of rerank-tune.`,
    hint: "name a folder made by `rerank-tune run RECIPE` or `rerank-tune registry pull`",
  });
}
