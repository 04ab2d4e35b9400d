// Whether the weights of a model folder are there, whole, and in a format that runs no code. Reads headers, no tensor.
import { type FileHandle, open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Problem } from "../errors.js";
import { readSafetensorsLayout } from "./safetensors-layout.js";

const WEIGHTS = "model.safetensors";
const INDEX = "model.safetensors.index.json";
const PICKLE = /\.(bin|pkl|pickle|pt|pth|ckpt)$/;
/** A name of a file beside the index; anything else could name any file of the machine. */
const PLAIN_NAME = /^[\w.-]+\.safetensors$/;
/** First bytes of the stand-in that git leaves where large-file storage was not fetched. */
const POINTER = "version https://git-lfs";

const AGAIN = "copy or fetch it again, and compare its sha256 with its source";

/** Everything that keeps the weights of `folder` from being read; empty when they can be. */
export async function weightProblems(folder: string): Promise<Problem[]> {
  const names = new Set(await readdir(folder));
  if (names.has(WEIGHTS)) return await fileProblems(join(folder, WEIGHTS));
  if (names.has(INDEX)) return await shardProblems(folder, names);
  return [noWeights(folder, [...names].sort())];
}

function noWeights(folder: string, names: readonly string[]): Problem {
  const pickle = names.find((name) => PICKLE.test(name));
  if (pickle === undefined)
    return {
      file: join(folder, WEIGHTS),
      message: "is missing",
      hint: "name a folder with model.safetensors; an ONNX graph cannot be trained",
    };
  return {
    file: join(folder, pickle),
    message: "is a pickle, which can run code when it is opened, and there is no model.safetensors",
    hint: "convert it on a machine you trust, in Python: `AutoModelForSequenceClassification.from_pretrained(FOLDER).save_pretrained(NEW)`",
  };
}

async function shardProblems(folder: string, names: ReadonlySet<string>): Promise<Problem[]> {
  const file = join(folder, INDEX);
  const shards = shardsOf(await readFile(file, "utf8"));
  if (shards === undefined) return [{ file, message: "is no index of weights (JSON with weight_map)", hint: AGAIN }];
  const problems: Problem[] = [];
  for (const name of shards)
    if (!PLAIN_NAME.test(name))
      problems.push({ file, message: `names ${JSON.stringify(name)}, which is no file beside it`, hint: AGAIN });
    else if (names.has(name)) problems.push(...(await fileProblems(join(folder, name))));
    else problems.push({ file: join(folder, name), message: `is missing, and ${INDEX} names it`, hint: AGAIN });
  return problems;
}

function shardsOf(text: string): string[] | undefined {
  try {
    const { weight_map: map } = JSON.parse(text) as { weight_map?: unknown };
    if (map === null || typeof map !== "object") return undefined;
    return [...new Set(Object.values(map).map(String))].sort();
  } catch {
    return undefined;
  }
}

async function fileProblems(file: string): Promise<Problem[]> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    await readSafetensorsLayout(size, (offset, length) => read(handle, offset, length));
    return [];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
    const start = (await read(handle, 0, POINTER.length)).toString("latin1");
    if (start === POINTER)
      return [
        { file, message: "is the stand-in of git's large-file storage", hint: "run `git lfs pull` in its folder" },
      ];
    return [{ file, message: (error as Error).message, hint: AGAIN }];
  } finally {
    await handle.close();
  }
}

async function read(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
  return buffer.subarray(0, bytesRead);
}
