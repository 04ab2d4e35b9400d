// Which files go to which branch. main holds the version; int8 its twin for TEI, which opens onnx/model.onnx alone. Pure but for small files that git names by content.
import { checkedContent, gitBlob } from "../../hub/frozen-bytes.js";
import type { TreeFile } from "../../hub/write-calls.js";
import { VARIANT_FILES } from "../../model-folder/layout.js";
import type { FrozenFile, FrozenVersion } from "../../registry/index.js";

export interface Leg {
  branch: "int8" | "main";
  /** Tag of what was committed there. */
  tag: string;
  version: FrozenVersion;
  /** The commit the branch stood at when the plan was made; undefined where there was none. */
  planned?: string;
}

/** What brings a tree to a version: files to send and files to take away. */
export interface Difference {
  send: FrozenFile[];
  remove: string[];
}

/** The Hub's own file, which says what lies in large-file storage. */
const KEPT = ".gitattributes";

/** The version of `<name>-int8` whose graph is the int8 graph of this one. */
export function twinOf(version: FrozenVersion, others: readonly FrozenVersion[]): FrozenVersion | undefined {
  const graph = digestOf(version, VARIANT_FILES.int8);
  return graph === undefined ? undefined : others.findLast((other) => digestOf(other, VARIANT_FILES.fp32) === graph);
}

export function digestOf({ files }: FrozenVersion, path: string): string | undefined {
  return files.find((file) => file.path === path)?.sha256;
}

export async function differenceOf(
  tree: ReadonlyMap<string, TreeFile>,
  files: readonly FrozenFile[],
): Promise<Difference> {
  const send: FrozenFile[] = [];
  for (const file of files) {
    const there = tree.get(file.path);
    if (there === undefined || !(await isSame(there, file))) send.push(file);
  }
  const wanted = new Set(files.map(({ path }) => path));
  return { send, remove: [...tree.keys()].filter((path) => path !== KEPT && !wanted.has(path)).sort() };
}

/** Small files have git's name for their content, so that they are read. */
export async function isSame(there: TreeFile, file: FrozenFile): Promise<boolean> {
  if (there.size !== file.bytes) return false;
  if (there.sha256 !== undefined) return there.sha256 === file.sha256;
  return there.oid === gitBlob(await checkedContent(file));
}

export const isEmptyDifference = ({ send, remove }: Difference): boolean => send.length + remove.length === 0;

/** A branch that nobody put anything on yet. */
export const isBlank = (tree: ReadonlyMap<string, TreeFile>): boolean =>
  [...tree.keys()].every((path) => path === KEPT);
