// What may lie in the folder of a registry, and how. Anything else was put there by something else, or is a link that could lead anywhere.
import type { Dirent, Stats } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Problem } from "../errors.js";
import { INDEX_FILE, LAYOUT_FILE } from "./index-file.js";
import { BLOB_NAME, QUARANTINE } from "./quarantine.js";
import { REFLOG_FILE } from "./reflog.js";

const FILES = new Set([INDEX_FILE, LAYOUT_FILE, REFLOG_FILE]);
/** Folders of views are judged by those who make them. */
const FOLDERS = new Set(["blobs", "tmp", "views", QUARANTINE]);
/** Of the lock, and of a writer that was killed; the next writer removes them. */
const PASSING = /^(\.lock(\.takeover)?|(index\.json|oci-layout)\.[0-9a-f-]+\.tmp)$/;

/** Entries of the registry's folder and of `blobs` that do not belong there. */
export async function checkTree(root: string): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const entry of await entries(root)) {
    const file = join(root, entry.name);
    const fits = FOLDERS.has(entry.name)
      ? entry.isDirectory()
      : FILES.has(entry.name) || PASSING.test(entry.name)
        ? entry.isFile()
        : undefined;
    if (fits === undefined) problems.push({ file, message: "it is no part of a registry" });
    else if (!fits) problems.push({ file, message: kindOf(entry) });
  }
  for (const entry of await entries(join(root, "blobs")))
    if (entry.name !== "sha256" || !entry.isDirectory())
      problems.push({ file: join(root, "blobs", entry.name), message: "it is no part of a registry" });
  return problems;
}

/** @returns why a file in `blobs/sha256` cannot be a blob, before its bytes are read; undefined when it can. */
export function blobProblem(name: string, found: Stats): string | undefined {
  if (!BLOB_NAME.test(name)) return "it is no blob: its name is no sha256";
  if (!found.isFile()) return kindOf(found);
  return undefined;
}

/** Whoever can write a blob can change it unseen until the next verify, also through a link elsewhere. Windows has no such bits. */
export function modeProblem({ mode }: Stats): string | undefined {
  if (process.platform === "win32") return undefined;
  const octal = (mode & 0o777).toString(8).padStart(3, "0");
  if ((mode & 0o222) !== 0) return `it can be written (mode ${octal}); \`chmod a-w\` it`;
  return (mode & 0o400) === 0 ? `its owner cannot read it (mode ${octal})` : undefined;
}

function kindOf(entry: Dirent | Stats): string {
  if (entry.isSymbolicLink()) return "it is a symbolic link";
  return entry.isDirectory() ? "it is a folder" : entry.isFile() ? "it is a file" : "it is neither file nor folder";
}

async function entries(folder: string): Promise<Dirent[]> {
  return await readdir(folder, { withFileTypes: true }).catch((error) => {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  });
}
