// A folder with one file a side, such as `data split` writes: train.jsonl, dev.jsonl, test.jsonl, or the groups of a prepare artifact.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Split } from "../groups.js";
import { SPLIT_NAMES } from "./fields.js";

/** A file to read, and the side that its name says. */
export interface SideFile {
  file: string;
  side: Split | undefined;
}

const SIDE_FILE = /^(?:groups\.)?(\w+)\.(?:jsonl|ndjson|csv|tsv)(?:\.gz)?$/i;
/** A folder with one of these is a collection with judgements, whatever else lies in it. */
const COLLECTION_FILE = /^(corpus|collection|passages|documents|qrels)\b/i;

/** The files of such a folder, or the path itself. */
export async function sideFilesOf(path: string): Promise<SideFile[]> {
  const whole = [{ file: path, side: undefined }];
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return whole;
  const names = (await readdir(path)).sort();
  if (names.some((name) => COLLECTION_FILE.test(name))) return whole;
  const files = names.flatMap((name): SideFile[] => {
    const side = SPLIT_NAMES[SIDE_FILE.exec(name)?.[1]?.toLowerCase() ?? ""];
    return side === undefined ? [] : [{ file: join(path, name), side }];
  });
  return files.length === 0 ? whole : files;
}
