// What may come in from elsewhere, judged by the list of its files before a byte of them is written. The one place that all doors ask. Pure.
import { type Problem, RerankTuneError } from "../errors.js";
import { clashingPath, pathProblem } from "./safe-paths.js";
import { PICKLE } from "./weight-names.js";

/** A file as its source lists it. */
export interface IncomingFile {
  /** With forward slashes. */
  path: string;
  /** Bytes. */
  size: number;
}

/** A package has about 20 files; more than this is no model. */
export const MOST_FILES = 1000;
/** Bytes of one file and of all: a reranker of seven billion weights in float32 has 28 GB. */
const LARGEST_FILE = 64 * 2 ** 30;
const LARGEST_SUM = 256 * 2 ** 30;
/** Bytes of a file that is read as a whole; the largest tokenizer.json in use has 35 MB. */
const LARGEST_TEXT = 256 * 2 ** 20;
const TEXT = /\.(json|jsonl|txt|md|yaml|yml|jinja|model)$/i;

/** Formats that run code when they are opened, beside those of PyTorch. */
const OPENED_AS_CODE = /\.(joblib|dill|npy|npz|h5|hdf5|keras|nemo|mar)$/i;
const CODE =
  /\.(py|pyc|pyd|pyx|pyw|so|dll|dylib|exe|com|msi|sh|bash|zsh|bat|cmd|ps1|vbs|js|mjs|cjs|ts|jar|class|wasm|ipynb|html|htm|svg|lnk|desktop)$/i;
const ARCHIVE = /\.(zip|tar|tgz|gz|bz2|xz|zst|7z|rar|whl|egg|iso|img)$/i;

/** Everything against these files, in their order; empty when they may come in. */
export function incomingProblems(files: readonly IncomingFile[]): Problem[] {
  if (files.length > MOST_FILES)
    return [{ path: "files", message: `there are ${files.length} of them, more than ${MOST_FILES}` }];
  const problems = files.flatMap((file) => fileProblem(file) ?? []);
  const clash = clashingPath(files.map(({ path }) => path));
  if (clash !== undefined)
    problems.push({ path: shown(clash), message: "is also the name of another file where case does not count" });
  const sum = files.reduce((total, { size }) => total + size, 0);
  if (sum > LARGEST_SUM) problems.push({ path: "files", message: `have ${sum} bytes together, too many` });
  return problems;
}

function fileProblem({ path, size }: IncomingFile): Problem | undefined {
  const message = pathMessage(path) ?? kindMessage(path) ?? sizeMessage({ path, size });
  return message === undefined ? undefined : { path: shown(path), message };
}

/** A size that no file of a model has, or that nothing here could read. */
export function sizeMessage({ path, size }: IncomingFile): string | undefined {
  const most = TEXT.test(path) ? LARGEST_TEXT : LARGEST_FILE;
  const isUsual = Number.isSafeInteger(size) && size >= 0 && size <= most;
  return isUsual ? undefined : `has ${size} bytes, which no such file of a model has`;
}

function pathMessage(path: string): string | undefined {
  const problem = pathProblem(path);
  return problem === undefined ? undefined : `has ${problem}`;
}

/** What a file is by its name alone, as far as that speaks against it. */
export function kindMessage(path: string): string | undefined {
  if (PICKLE.test(path.toLowerCase())) return "is a pickle, which can run code when it is opened";
  if (OPENED_AS_CODE.test(path)) return "is of a format that can run code when it is opened";
  if (CODE.test(path)) return "is code, and a model has none";
  if (ARCHIVE.test(path)) return "is an archive, whose content cannot be checked";
  return undefined;
}

/** Quoted, so that what is not seen is seen, and short. */
const shown = (path: string): string => {
  const quoted = JSON.stringify(path.length > 120 ? `${path.slice(0, 120)}…` : path).replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return /^"[\w./+-]+"$/.test(quoted) ? path : quoted;
};

/**
 * Refuses where there is any problem.
 * @param subject whose files they are.
 * @throws RerankTuneError UNSAFE_INPUT with all of them.
 */
export function refuseUnsafe(subject: string, problems: readonly Problem[], hint = USE_ANOTHER): void {
  const [first] = problems;
  if (first === undefined) return;
  const more = problems.length === 1 ? "" : `, and ${problems.length - 1} more`;
  throw new RerankTuneError({
    code: "UNSAFE_INPUT",
    message: `${subject} was refused: ${first.path ?? first.file ?? "a file"} ${first.message}${more}; nothing was written.`,
    hint: first.hint ?? hint,
    problems: [...problems],
  });
}

const USE_ANOTHER = "do not use it; ask whoever made it for a version with plain model files only";
