// Whether a base on disk can be trained, before Python or hours are spent on it: every reason at once, each with its file and the way out.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isObject, type JsonObject, jsonOf } from "../artifacts/json-value.js";
import { type Problem, RerankTuneError } from "../errors.js";
import { refuseUnsafe, sizeMessage } from "../model-folder/incoming.js";
import { type FolderContent, folderContent } from "../model-folder/incoming-folder.js";
import { weightProblems } from "../model-folder/weights-check.js";
import { type BaseAllowances, type BaseFiles, baseConfigProblems, WITHOUT_CODE } from "./base-config.js";

/**
 * Reads the small files and the headers of the weights.
 * @throws RerankTuneError MODEL_UNSUPPORTED, or MODEL_NOT_FOUND when nothing is wrong but missing files; UNSAFE_INPUT before any file is opened.
 */
export async function checkBase(folder: string, allowed: BaseAllowances): Promise<void> {
  refuseUnsafe(`The base ${folder}`, await unsafeFiles(folder, allowed));
  refuse(folder, [...(await smallFileProblems(folder, allowed)), ...(await weightProblems(folder))]);
}

/**
 * The same without the weights, which a download brings last.
 * @throws RerankTuneError as `checkBase`.
 */
export async function checkSmallFiles(folder: string, allowed: BaseAllowances): Promise<void> {
  refuse(folder, await smallFileProblems(folder, allowed));
}

/** Of the folder's own files alone: what lies below is not read. Pickles beside safetensors stay closed, so that they may stay. */
async function unsafeFiles(folder: string, allowed: BaseAllowances): Promise<Problem[]> {
  const { files, problems } = await folderContent(folder, false).catch((error): FolderContent => {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return { files: [], problems: [] };
    throw error;
  });
  const ofFiles = files.flatMap((file): Problem[] => {
    const message = READ_WHOLE.test(file.path) ? sizeMessage(file) : undefined;
    if (message !== undefined) return [{ path: file.path, message }];
    if (!PYTHON.test(file.path) || allowed.custom_code === "ignore") return [];
    return [{ path: file.path, message: "is code, and rerank-tune never runs a base's own", hint: WITHOUT_CODE }];
  });
  return [...problems, ...ofFiles];
}

const READ_WHOLE = /\.(json|model|safetensors)$/;
const PYTHON = /\.(py|pyc|pyd|so)$/;

async function smallFileProblems(folder: string, allowed: BaseAllowances): Promise<Problem[]> {
  const problems: Problem[] = [];
  const read = async (name: string): Promise<unknown> => {
    const text = await readFile(join(folder, name), "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    const value = jsonOf(text);
    if (value === undefined)
      problems.push({ file: join(folder, name), message: "is no JSON", hint: "fetch it again from its source" });
    return value ?? {};
  };
  const object = async (name: string): Promise<JsonObject | undefined> => {
    const value = await read(name);
    return isObject(value) ? value : undefined;
  };
  const required = async (name: string): Promise<JsonObject | undefined> => {
    const value = await object(name);
    if (value === undefined)
      problems.push({
        file: join(folder, name),
        message: "is missing",
        hint: HINTS[name] ?? "fetch it from its source",
      });
    return value;
  };
  const config = await required("config.json");
  const tokenizer = await required("tokenizer.json");
  const tokenizerConfig = await object("tokenizer_config.json");
  const modules = await read("modules.json");
  if (config === undefined || problems.length > 0) return problems;
  const files: BaseFiles = {
    config,
    modules,
    ...(tokenizer === undefined ? {} : { tokenizer }),
    ...(tokenizerConfig === undefined ? {} : { tokenizerConfig }),
  };
  const found = baseConfigProblems(files, allowed);
  return found.map((problem) => ({ ...problem, file: join(folder, problem.file ?? "") }));
}

const HINTS: Record<string, string> = {
  "config.json": "point `base_model.path` at a folder with config.json, tokenizer.json and model.safetensors",
  "tokenizer.json": "use a base with a fast tokenizer (tokenizer.json), such as BAAI/bge-reranker-v2-m3",
};

function refuse(folder: string, problems: Problem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const missing = problems.every(({ message }) => message.startsWith("is missing"));
  const more = problems.length === 1 ? "" : `, and ${problems.length - 1} more`;
  throw new RerankTuneError({
    code: missing ? "MODEL_NOT_FOUND" : "MODEL_UNSUPPORTED",
    message: `The base cannot be trained: ${first.file ?? folder} ${first.message}${more}.`,
    hint: first.hint ?? "choose another base",
    problems,
  });
}
