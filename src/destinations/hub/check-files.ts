// What may leave: the frozen files of a version, and only if none is code, a pickle or carries a secret. Reads blobs, no network.
import { lstat, readFile } from "node:fs/promises";
import type { Problem } from "../../errors.js";
import { readPart } from "../../model-folder/read-at.js";
import type { FrozenFile } from "../../registry/index.js";
import { secretsIn } from "./secret-patterns.js";

/** Formats that run code when they are loaded, or are code. */
const PICKLE = /\.(bin|pt|pth|ckpt|pkl|pickle|joblib|npy|npz|h5|keras|msgpack)$/i;
const CODE = /\.(py|pyc|pyd|so|dll|dylib|exe|sh|bat|ps1|js|mjs|cjs|ipynb|jar|wasm)$/i;
const UNSAFE_PATH = /^\/|\\|(^|\/)\.{1,2}(\/|$)|(^|\/)\.git(\/|$)|\p{Cc}|^$/u;
/** Of larger text files the first so many bytes are looked through. */
const TEXT_BYTES = 64 << 20;
/** Tells text from data, and a pickle from both. */
const HEAD_BYTES = 8192;

/** Every reason not to send one of the files. */
export async function fileProblems(files: readonly FrozenFile[]): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const file of files) {
    const named = nameProblem(file);
    if (named !== undefined) problems.push(named);
    else problems.push(...(await contentProblems(file)));
  }
  return problems;
}

function nameProblem({ path }: FrozenFile): Problem | undefined {
  if (UNSAFE_PATH.test(path)) return { file: path, message: "is no path inside a repository" };
  if (PICKLE.test(path))
    return { file: path, message: "can run code when it is loaded", hint: "keep safetensors and ONNX" };
  if (CODE.test(path)) return { file: path, message: "is code, which a model does not need", hint: "leave it out" };
  return undefined;
}

async function contentProblems(file: FrozenFile): Promise<Problem[]> {
  const found = await lstat(file.blob).catch(() => undefined);
  if (found?.isFile() !== true || found.size !== file.bytes)
    return [
      { file: file.path, message: "is not in the registry as listed", hint: "run `rerank-tune registry verify`" },
    ];
  if (file.bytes === 0) return [{ file: file.path, message: "is empty, and some clients cannot fetch empty files" }];
  const head = await readPart(file.blob, 0, HEAD_BYTES);
  if (isPickle(file.path, head))
    return [{ file: file.path, message: "is a pickle, which can run code when it is loaded" }];
  if (head.includes(0) || file.bytes > TEXT_BYTES) return [];
  return secretsIn(await readFile(file.blob, "utf8")).map(({ line, kind }) => ({
    file: file.path,
    line,
    message: `has ${kind} in it`,
    hint: "take it out of the recipe or the card and publish again; whoever could read it has it: revoke it",
  }));
}

/** Protocols 2 to 5 begin with 0x80 and their number; a safetensors file may, too, as the length of its header. */
function isPickle(path: string, head: Buffer): boolean {
  const [first, second = 0] = head;
  return first === 0x80 && second >= 2 && second <= 5 && !path.endsWith(".safetensors");
}
