// Whether the weights of a model folder are there, whole, and in a format that runs no code. Reads headers, no tensor.
import { open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { jsonOf } from "../artifacts/json-value.js";
import type { Problem } from "../errors.js";
import { MODEL_FILES } from "./layout.js";
import { readerOf } from "./read-at.js";
import { readSafetensorsLayout } from "./safetensors-layout.js";
import { PICKLE, SHARD_NAME, shardNames } from "./weight-names.js";

const { weights: WEIGHTS, weightsIndex: INDEX } = MODEL_FILES;
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
  const shards = shardNames(jsonOf(await readFile(file, "utf8")));
  if (shards === undefined) return [{ file, message: "is no index of weights (JSON with weight_map)", hint: AGAIN }];
  const problems: Problem[] = [];
  for (const name of shards)
    if (!SHARD_NAME.test(name))
      problems.push({ file, message: `names ${JSON.stringify(name)}, which is no file beside it`, hint: AGAIN });
    else if (names.has(name)) problems.push(...(await fileProblems(join(folder, name))));
    else problems.push({ file: join(folder, name), message: `is missing, and ${INDEX} names it`, hint: AGAIN });
  return problems;
}

async function fileProblems(file: string): Promise<Problem[]> {
  const handle = await open(file);
  const readAt = readerOf(handle);
  try {
    const { size } = await handle.stat();
    await readSafetensorsLayout(size, readAt);
    return [];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
    const start = Buffer.from(await readAt(0, POINTER.length)).toString("latin1");
    if (start === POINTER)
      return [
        { file, message: "is the stand-in of git's large-file storage", hint: "run `git lfs pull` in its folder" },
      ];
    return [{ file, message: (error as Error).message, hint: AGAIN }];
  } finally {
    await handle.close();
  }
}
