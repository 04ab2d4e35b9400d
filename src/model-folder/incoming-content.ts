// What the bytes of incoming files say against them: pickles and programs under other names, code named by a config, weights outside the folder.
import { open, readFile } from "node:fs/promises";
import { posix } from "node:path";
import { isObject, type JsonObject, jsonOf } from "../artifacts/json-value.js";
import type { Problem } from "../errors.js";
import { codeProblems } from "./custom-code.js";
import { leavesFolder } from "./graph-check.js";
import { MODEL_FILES } from "./layout.js";
import { readOnnxHeader } from "./onnx-header.js";
import { type ReadAt, readerOf } from "./read-at.js";
import { readSafetensorsLayout } from "./safetensors-layout.js";

/** A file that is here but not yet let in. */
export interface StagedFile {
  path: string;
  /** Where its bytes are now. */
  file: string;
}

/** Weights without a header may begin with any bytes. */
const RAW = /(\.onnx_data|\.onnx\.data|\.data|\.weight)$/;
/** First bytes of what is opened as code or unpacked, and what to call it. */
const BEGINNINGS: readonly [name: string, matches: (bytes: Uint8Array) => boolean][] = [
  ["a pickle", ([first, version = 0, next = 0]) => first === 0x80 && version >= 2 && version <= 5 && next !== 0],
  ["an archive", ([a, b, c, d]) => a === 0x50 && b === 0x4b && c === 3 && d === 4],
  ["an archive", ([a, b]) => a === 0x1f && b === 0x8b],
  ["a program", ([a, b, c, d]) => a === 0x7f && b === 0x45 && c === 0x4c && d === 0x46],
  ["a program", ([a, b]) => a === 0x4d && b === 0x5a],
  ["a program", ([a, b]) => a === 0x23 && b === 0x21],
];

/**
 * Everything the bytes say against these files.
 * @param hint the way out where code is named.
 * @param paths of all files that belong together, when these are a part of them.
 */
export async function contentProblems(
  files: readonly StagedFile[],
  hint: string,
  paths: ReadonlySet<string> = new Set(files.map(({ path }) => path)),
): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const { path, file } of files) {
    const message = await withReader(file, (size, readAt) => fileMessage(path, size, readAt, paths));
    if (message !== undefined) problems.push({ path, message });
  }
  return [...problems, ...(await namedCode(files, hint))];
}

async function fileMessage(
  path: string,
  size: number,
  readAt: ReadAt,
  paths: ReadonlySet<string>,
): Promise<string | undefined> {
  const beginning = await readAt(0, 8);
  const found = RAW.test(path) ? undefined : BEGINNINGS.find(([, matches]) => matches(beginning));
  if (found !== undefined) return `is ${found[0]} by its first bytes`;
  try {
    if (path.endsWith(".safetensors")) await readSafetensorsLayout(size, readAt);
    if (path.endsWith(".onnx")) return outsideMessage(path, (await readOnnxHeader(size, readAt)).externalFiles, paths);
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
    return path.endsWith(".onnx") ? `is no whole ONNX file: ${(error as Error).message}` : (error as Error).message;
  }
}

/** Weights outside the graph must lie beside it and be listed themselves. */
export function outsideMessage(
  path: string,
  external: readonly string[],
  paths: ReadonlySet<string>,
): string | undefined {
  const outside = external.find(leavesFolder);
  if (outside !== undefined) return `keeps weights in ${JSON.stringify(outside)}, outside its folder`;
  const unlisted = external.find((name) => !paths.has(posix.join(posix.dirname(path), name)));
  return unlisted === undefined
    ? undefined
    : `keeps weights in ${JSON.stringify(unlisted)}, which is not among the files`;
}

async function namedCode(files: readonly StagedFile[], hint: string): Promise<Problem[]> {
  const read = async (name: string): Promise<unknown> => {
    const staged = files.find(({ path }) => path === name);
    return staged === undefined ? undefined : jsonOf(await readFile(staged.file, "utf8"));
  };
  const object = async (name: string): Promise<JsonObject> => {
    const value = await read(name);
    return isObject(value) ? value : {};
  };
  const config = await object(MODEL_FILES.config);
  const tokenizerConfig = await object(MODEL_FILES.tokenizerConfig);
  const found = codeProblems({ config, tokenizerConfig, modules: await read(MODEL_FILES.modules) }, hint);
  return found.map(({ file, ...problem }) => ({ ...problem, path: file ?? "" }));
}

async function withReader<Result>(
  file: string,
  work: (size: number, readAt: ReadAt) => Promise<Result>,
): Promise<Result> {
  const handle = await open(file);
  try {
    return await work((await handle.stat()).size, readerOf(handle));
  } finally {
    await handle.close();
  }
}
