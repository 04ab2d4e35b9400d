// Where the parts of this package lie, both in a clone (src/ or dist/) and installed from a tarball.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** The folder that holds package.json; dist/ mirrors src/, so the depth is the same in both. */
export const PACKAGE_ROOT = resolve(import.meta.dirname, "../..");
export const WORKER_FILE = join(PACKAGE_ROOT, "python", "worker.py");
export const LOCK_FILE = join(PACKAGE_ROOT, "python", "requirements.lock");
/** The second ONNX Runtime, whose scores are compared. */
export const TEI_LOCK_FILE = join(PACKAGE_ROOT, "python", "tei-runtime.lock");
/** Installed on request. */
export const OPENVINO_LOCK_FILE = join(PACKAGE_ROOT, "python", "openvino.lock");
export const RECIPES_FOLDER = join(PACKAGE_ROOT, "recipes");

export interface PackageDescription {
  version: string;
  engines: { node: string };
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
}

/** Our own package.json; its dependencies are exact versions. */
export function packageDescription(): PackageDescription {
  return JSON.parse(readFileSync(join(PACKAGE_ROOT, "package.json"), "utf8")) as PackageDescription;
}
