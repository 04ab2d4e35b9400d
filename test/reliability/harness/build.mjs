// The product compiled to plain JavaScript, since the operations run in processes of their own. It lies in node_modules so that imports resolve.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(import.meta.dirname, "../../..");

/** @returns the folder with the compiled files, and what removes it. */
export async function buildSource() {
  const cache = join(ROOT, "node_modules", ".cache");
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "rerank-tune-reliability-"));
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  await promisify(execFile)(process.execPath, [
    tsc,
    "-p",
    join(ROOT, "tsconfig.json"),
    "--outDir",
    folder,
    "--noCheck",
  ]);
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** The parts of a build that the harness works with. */
export async function loadProduct(folder) {
  const [registry, errors, lock, format] = await Promise.all(
    ["registry/index.js", "errors.js", "artifacts/lock.js", "registry/format.js"].map(
      (path) => import(join(folder, path)),
    ),
  );
  return { ...registry, ...errors, ...lock, ...format };
}
