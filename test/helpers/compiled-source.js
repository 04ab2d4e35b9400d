// The source compiled to plain JavaScript, for tests that need it in processes of their own; plain itself, as some run without vitest.
// It lies in node_modules so that imports resolve.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(import.meta.dirname, "../..");

/** @returns the folder with the compiled files, and what removes it. */
export async function compileSource() {
  const cache = join(ROOT, "node_modules", ".cache");
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "rerank-tune-test-"));
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
