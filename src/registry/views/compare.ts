// What is on disk in a view, held against its plan. Trusts no sizes, times or modes: every byte is hashed.
import type { Dirent } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hashFile } from "../../artifacts/hash.js";
import type { CatalogFile } from "../catalog.js";
import type { ViewPlan } from "./plan.js";

export interface Difference {
  /** Relative to the view. */
  path: string;
  what: string;
}

/** Folders of the Hub's layout that clients write for themselves; nobody reads a model from them. */
const CLIENTS_OWN = /^models--[^/]+\/(\.no_exist|blobs)$/;

/** @param onFile called after each hashed file. */
export async function compareView(folder: string, plan: ViewPlan, onFile: () => void): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const [version, files] of plan.versions)
    for (const { path, what } of await compareVersion(join(folder, version), files, onFile))
      found.push({ path: path === "" ? version : `${version}/${path}`, what });
  for (const [path, text] of plan.texts) found.push(...(await compareText(folder, path, text)));
  for (const [path, target] of plan.links)
    if ((await linkTarget(join(folder, path))) !== target) found.push({ path, what: `does not point to ${target}` });
  for (const path of await extraEntries(folder, plan)) found.push({ path, what: "does not belong here" });
  return found;
}

/** Differences of one version's folder, with paths relative to it; none when every byte is right. */
export async function compareVersion(
  folder: string,
  files: readonly CatalogFile[],
  onFile: () => void = () => undefined,
): Promise<Difference[]> {
  const entries = await entriesBelow(folder);
  if (entries === undefined) return [{ path: "", what: "is missing" }];
  const found: Difference[] = [];
  const folders = new Set(files.flatMap(({ path }) => parents(path)));
  for (const file of files) {
    const entry = entries.get(file.path);
    if (entry === undefined) found.push({ path: file.path, what: "is missing" });
    else if (!entry.isFile()) found.push({ path: file.path, what: "is not a plain file" });
    else if ((await hashFile(join(folder, file.path))) !== file.sha256)
      found.push({ path: file.path, what: "has other bytes than the registry" });
    entries.delete(file.path);
    onFile();
  }
  for (const [path, entry] of entries)
    if (!(entry.isDirectory() && folders.has(path))) found.push({ path, what: "does not belong here" });
  return found;
}

async function compareText(folder: string, path: string, text: string): Promise<Difference[]> {
  const kind = await lstat(join(folder, path)).catch(() => undefined);
  if (kind === undefined) return [{ path, what: "is missing" }];
  const same = kind.isFile() && (await readFile(join(folder, path), "utf8")) === text;
  return same ? [] : [{ path, what: "has other content than the registry says" }];
}

/** Entries of the view's own folders that the plan does not know, outermost first; links before what they may lead to. */
export async function extraEntries(folder: string, plan: ViewPlan): Promise<string[]> {
  const planned = [...plan.versions.keys(), ...plan.texts.keys(), ...plan.links.keys()];
  const leaves = new Set(planned);
  const inner = new Set(planned.flatMap(parents));
  const [links, extra]: [string[], string[]] = [[], []];
  const visit = async (path: string): Promise<void> => {
    for (const entry of await readdir(join(folder, path), { withFileTypes: true }).catch(() => [])) {
      const child = `${path}/${entry.name}`;
      if (leaves.has(child) || CLIENTS_OWN.test(child)) continue;
      if (inner.has(child) && entry.isDirectory()) await visit(child);
      else (entry.isSymbolicLink() ? links : extra).push(child);
    }
  };
  for (const top of plan.owned) await visit(top);
  return [...links.sort(), ...extra.sort()];
}

/** Undefined when there is no such folder, or a link in its place. */
async function entriesBelow(folder: string): Promise<Map<string, Dirent> | undefined> {
  const kind = await lstat(folder).catch(() => undefined);
  if (kind?.isDirectory() !== true) return undefined;
  const entries = new Map<string, Dirent>();
  const visit = async (path: string): Promise<void> => {
    for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
      const child = path === "" ? entry.name : `${path}/${entry.name}`;
      entries.set(child, entry);
      if (entry.isDirectory()) await visit(child);
    }
  };
  await visit("");
  return entries;
}

export const linkTarget = (path: string): Promise<string | undefined> => readlink(path).catch(() => undefined);

function parents(path: string): string[] {
  const parent = dirname(path);
  return parent === "." ? [] : [parent, ...parents(parent)];
}
