// Files of a version as a tree of folders, in the order of paths. Pure.
import { createHash } from "node:crypto";
import { type CatalogFile, gitIdOf } from "../registry/index.js";

export interface TreeEntry {
  path: string;
  /** 40 hex digits. */
  id: string;
  /** Undefined for a folder. */
  file?: CatalogFile;
}

/** Every folder and file. */
export function allEntries(files: readonly CatalogFile[]): TreeEntry[] {
  const below = new Map<string, string[]>();
  for (const file of files) {
    const parts = file.path.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const folder = parts.slice(0, depth).join("/");
      const content = below.get(folder) ?? [];
      content.push(`${file.path}\0${file.sha256}`);
      below.set(folder, content);
    }
  }
  const folders = [...below].map(([path, content]) => ({ path, id: idOf(content) }));
  const entries: TreeEntry[] = [...folders, ...files.map((file) => ({ path: file.path, id: gitIdOf(file), file }))];
  return entries.sort((left, right) => (left.path < right.path ? -1 : 1));
}

/** @param folder empty for the top. @returns undefined when there is no such folder. */
export function entriesIn(files: readonly CatalogFile[], folder: string, recursive: boolean): TreeEntry[] | undefined {
  const prefix = folder === "" ? "" : `${folder}/`;
  const inside = allEntries(files).filter(({ path }) => path.startsWith(prefix));
  if (folder !== "" && inside.length === 0) return undefined;
  return recursive ? inside : inside.filter(({ path }) => !path.slice(prefix.length).includes("/"));
}

/** Of what is in a folder: equal content, equal id. */
function idOf(content: readonly string[]): string {
  return createHash("sha256").update(content.join("\n")).digest("hex").slice(0, 40);
}
