// Opening a packaged model folder: reads its manifest and compares its files with it. Writes nothing.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { hashFile, listFiles } from "../artifacts/hash.js";
import { type Problem, RerankTuneError } from "../errors.js";
import { MODEL_FILES, type PackageManifest, packageManifestSchema } from "./layout.js";

/** Files that may lie beside the ones the manifest lists: they are added when a version is published. */
const ADDED_LATER = new Set(["README.md", "LICENSE"]);

/**
 * Reads `rerank-tune.json` of a package.
 * @throws RerankTuneError MODEL_NOT_FOUND when there is no such folder; PACKAGE_INVALID when it is not a package.
 */
export async function readPackageManifest(folder: string): Promise<PackageManifest> {
  const path = join(folder, MODEL_FILES.manifest);
  const text = await readFile(path, "utf8").catch((error) => notFound(error, folder));
  const parsed = packageManifestSchema.safeParse(parseJson(text));
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

/** What differs between a folder and its manifest; every file is hashed. Empty when it is whole and unchanged. */
export async function packageProblems(folder: string, manifest: PackageManifest): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const { path, bytes, sha256 } of manifest.files) {
    const file = join(folder, path);
    const found = await stat(file).catch(() => undefined);
    if (found === undefined) problems.push({ file, message: "is missing" });
    else if (found.size !== bytes) problems.push({ file, message: `has ${found.size} bytes, not ${bytes}` });
    else if ((await hashFile(file)) !== sha256) problems.push({ file, message: "was changed: its sha256 is another" });
  }
  const listed = new Set([MODEL_FILES.manifest, ...manifest.files.map(({ path }) => path)]);
  for (const path of await listFiles(folder))
    if (!listed.has(path) && !ADDED_LATER.has(path))
      problems.push({ file: join(folder, path), message: "does not belong to the package" });
  return problems;
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the schema says what is missing
  }
}
