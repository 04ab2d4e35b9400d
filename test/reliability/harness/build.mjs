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

const CORE = ["registry/index.js", "errors.js", "artifacts/lock.js", "registry/format.js"];
/** What some operations need beside it; loaded only for them, since every trial is a process. */
const PARTS = {
  views: ["registry/views/index.js"],
  signing: [
    "commands/sign.js",
    "commands/verify-signature.js",
    ...["bundle", "keys", "key-ring", "provenance", "sbom", "test-result"].map((name) => `evidence/${name}.js`),
  ],
  mirror: ["destinations/folder/index.js"],
  oci: ["destinations/oci/fetch.js"],
};

/** The product as the harness works with it. @param parts names of `PARTS`; all of them when left out. */
export async function loadProduct(folder, parts = Object.keys(PARTS)) {
  const paths = [...CORE, ...parts.flatMap((name) => PARTS[name])];
  const loaded = await Promise.all(paths.map((path) => import(join(folder, path))));
  return Object.assign({}, ...loaded);
}
