// The lock file of the Python environment: its digest and its packages. Nothing is installed here.
import { readFileSync } from "node:fs";
import { hashText } from "../artifacts/hash.js";
import { LOCK_FILE, TEI_LOCK_FILE } from "./package-root.js";

/** sha256 (hex) over the requirement lines of all files; comments and line ends do not count. */
export function lockDigest(...paths: string[]): string {
  const files = paths.length === 0 ? [LOCK_FILE, TEI_LOCK_FILE] : paths;
  return hashText(files.flatMap((path) => lockedRequirements(path)).join("\n"));
}

/** Requirement lines such as `torch==2.13.0`. */
export function lockedRequirements(path: string = LOCK_FILE): string[] {
  const lines = readFileSync(path, "utf8").split(/\r?\n/);
  return lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
}
