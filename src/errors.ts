// The one error class of the product and the table of its codes. Nothing here renders or exits; `ui` and `cli.ts` do that.
import { constants } from "node:os";

/** Exit codes of the process; `--help` documents them. */
export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  gate: 3,
  environment: 4,
  worker: 5,
  remote: 6,
  sigint: 130,
  sigterm: 143,
} as const;

/** Every code the product can report, with its exit code and what it means in one sentence. */
export const ERROR_CODES = {
  INTERNAL: { exit: EXIT.internal, meaning: "An unexpected failure inside rerank-tune: a bug of ours." },
  USAGE: { exit: EXIT.usage, meaning: "The command line could not be understood." },
  RECIPE_NOT_FOUND: { exit: EXIT.usage, meaning: "The recipe file does not exist or cannot be read." },
  RECIPE_INVALID: { exit: EXIT.usage, meaning: "The recipe breaks its schema; every problem is listed with its line." },
  DATA_NOT_FOUND: { exit: EXIT.usage, meaning: "A data file or folder named in the recipe does not exist." },
  DATA_INVALID: {
    exit: EXIT.usage,
    meaning: "The labelled data cannot be used; every problem is listed with its line.",
  },
  MODEL_NOT_FOUND: { exit: EXIT.usage, meaning: "A model folder does not exist or lacks a file." },
  MODEL_UNSUPPORTED: { exit: EXIT.usage, meaning: "The base model's architecture or files are not supported." },
  PACKAGE_INVALID: { exit: EXIT.usage, meaning: "The folder is not a rerank-tune package, or its files were changed." },
  UNSAFE_INPUT: {
    exit: EXIT.usage,
    meaning:
      "Files from elsewhere could do harm: unsafe paths, links, pickles, code, or sizes; none of them was taken.",
  },
  REGISTRY_NOT_FOUND: { exit: EXIT.usage, meaning: "The registry, model or version does not exist." },
  DATA_CHECK_FAILED: {
    exit: EXIT.gate,
    meaning: "The labelled data has errors; every rule is listed with its lines.",
  },
  KEY_UNUSABLE: {
    exit: EXIT.usage,
    meaning: "A key cannot be read, needs another password, or is of a kind that does not sign models.",
  },
  SIGNATURE_INVALID: {
    exit: EXIT.gate,
    meaning: "A signature is missing, is not by a key that you trust, or does not fit the files.",
  },
  LINT_FAILED: { exit: EXIT.gate, meaning: "A consumer will not load the model folder as a reranker." },
  GATE_FAILED: { exit: EXIT.gate, meaning: "A measured value misses a limit of the recipe." },
  TRAINING_COLLAPSED: { exit: EXIT.gate, meaning: "Training was stopped because the model stopped ranking." },
  REGISTRY_CORRUPT: { exit: EXIT.gate, meaning: "The registry holds a blob or record that does not match its digest." },
  VIEW_DIFFERS: { exit: EXIT.gate, meaning: "A view of the registry is not what the registry says; build it again." },
  PYTHON_NOT_FOUND: { exit: EXIT.environment, meaning: "No usable Python 3.11-3.14 was found." },
  PLATFORM_UNSUPPORTED: {
    exit: EXIT.environment,
    meaning: "This operating system, processor or Node version is not supported.",
  },
  ENVIRONMENT_BROKEN: {
    exit: EXIT.environment,
    meaning: "The pinned Python environment could not be built or does not answer.",
  },
  RUNTIME_MISSING: { exit: EXIT.environment, meaning: "onnxruntime-node is not installed and could not be fetched." },
  CUDA_PACKAGE_INVALID: {
    exit: EXIT.environment,
    meaning: "The package with the CUDA files of onnxruntime-node is another one, or damaged.",
  },
  DISK_FULL: { exit: EXIT.environment, meaning: "No space is left on the disk." },
  NOT_WRITABLE: { exit: EXIT.environment, meaning: "A folder cannot be written." },
  FILE_SYSTEM_FAILED: {
    exit: EXIT.environment,
    meaning: "The disk reported an error, or the system has no more open files to give.",
  },
  FOLDER_IN_USE: { exit: EXIT.environment, meaning: "Another rerank-tune process is working in this folder." },
  ARTIFACT_CORRUPT: { exit: EXIT.environment, meaning: "A finished artifact no longer matches its manifest." },
  DOWNLOAD_FAILED: { exit: EXIT.remote, meaning: "A package or model could not be downloaded." },
  ENDPOINT_FAILED: { exit: EXIT.remote, meaning: "A model server that you named gave no useful answer." },
  HUB_UNAUTHORIZED: { exit: EXIT.remote, meaning: "The model hub refused the token or none was given." },
  HUB_NOT_FOUND: { exit: EXIT.remote, meaning: "The model hub has no such repository, revision or file." },
  RELEASE_REFUSED: {
    exit: EXIT.gate,
    meaning: "The version may not be released there as it is; every reason is listed, and nothing was sent.",
  },
  RELEASE_CONFLICT: {
    exit: EXIT.remote,
    meaning: "Somebody else changed the place of a release meanwhile, or it holds something else by that name.",
  },
  RELEASE_FAILED: {
    exit: EXIT.remote,
    meaning: "A version could not be released; what arrived is kept and not sent again.",
  },
  OCI_UNAUTHORIZED: { exit: EXIT.remote, meaning: "The OCI registry refused the credentials or none were given." },
  OCI_NOT_FOUND: { exit: EXIT.remote, meaning: "The OCI registry has no such repository, tag or digest." },
  OCI_FAILED: { exit: EXIT.remote, meaning: "The OCI registry cannot be reached or gave no useful answer." },
  CHECKSUM_MISMATCH: { exit: EXIT.remote, meaning: "A downloaded file does not have the digest it should have." },
  WORKER_VERSION_MISMATCH: { exit: EXIT.environment, meaning: "The Python worker speaks another protocol version." },
  WORKER_PROTOCOL: { exit: EXIT.worker, meaning: "The Python worker printed something that is not an event." },
  WORKER_CRASHED: { exit: EXIT.worker, meaning: "The Python worker ended without a result." },
  WORKER_SILENT: { exit: EXIT.worker, meaning: "The Python worker gave no sign of life for minutes and was stopped." },
  WORKER_OUT_OF_MEMORY: { exit: EXIT.worker, meaning: "The Python worker was killed, most likely for lack of memory." },
  WORKER_FAILED: { exit: EXIT.worker, meaning: "The Python worker reported an error." },
  SCORER_FAILED: { exit: EXIT.worker, meaning: "The ONNX scoring process failed." },
  INTERRUPTED: { exit: EXIT.sigint, meaning: "The user pressed Ctrl-C; finished stages stay." },
  TERMINATED: { exit: EXIT.sigterm, meaning: "The process was asked to stop; finished stages stay." },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** One finding inside a larger failure, such as a recipe field or a data line. */
export interface Problem {
  /** File the problem is in, when it is in one. */
  file?: string;
  /** 1-based line. */
  line?: number;
  /** 1-based column. */
  column?: number;
  /** Dotted path of the field or a short subject. */
  path?: string;
  message: string;
  hint?: string;
}

export interface ErrorDetails {
  code: ErrorCode;
  /** What went wrong, with the offending value, in one sentence. */
  message: string;
  /** What the user can type or change; required, because an error without a way out is half an error. */
  hint: string;
  problems?: Problem[];
  /** What was finished before the failure; travels to `--json` so that nothing is lost. */
  data?: unknown;
  cause?: unknown;
}

/** The only error that may cross a module boundary on purpose. Anything else is rendered as INTERNAL. */
export class RerankTuneError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly problems: Problem[];
  readonly data: unknown;

  constructor(details: ErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "RerankTuneError";
    this.code = details.code;
    this.hint = details.hint;
    this.problems = details.problems ?? [];
    this.data = details.data;
  }

  get exitCode(): number {
    return ERROR_CODES[this.code].exit;
  }
}

/** File-system codes of Node that a user can act on; everything else stays INTERNAL. */
export function fromFileSystemError(error: unknown, path: string): RerankTuneError | undefined {
  const { code, errno } = (error ?? {}) as NodeJS.ErrnoException;
  // libuv has no name for a used-up quota: its code is "Unknown system error -122"
  if (code === "ENOSPC" || code === "EDQUOT" || errno === -constants.errno.EDQUOT)
    return new RerankTuneError({
      code: "DISK_FULL",
      message: `No space is left on the disk while writing ${path}.`,
      hint: `free space, see \`df -h ${path}\`, then run the same command again; finished stages are kept`,
      cause: error,
    });
  if (code === "EACCES" || code === "EROFS" || code === "EPERM")
    return new RerankTuneError({
      code: "NOT_WRITABLE",
      message: `${path} cannot be written (${code}).`,
      hint: `make it writable, or choose another folder with --artifacts or --registry`,
      cause: error,
    });
  if (code === "EIO" || code === "EMFILE" || code === "ENFILE")
    return new RerankTuneError({
      code: "FILE_SYSTEM_FAILED",
      message:
        code === "EIO"
          ? `The disk reported an error (EIO) at ${path}.`
          : `Too many files are open (${code}) to go on with ${path}.`,
      hint:
        code === "EIO"
          ? "look at the system's log, such as `dmesg`, and check the disk; then run the same command again"
          : "raise the limit, for example `ulimit -n 4096`, then run the same command again",
      cause: error,
    });
  return undefined;
}

/**
 * The error for a stopped run; the abort reason tells SIGINT from SIGTERM.
 * @param hint how to go on; that of the pipeline when left out.
 */
export function interrupted(
  signal: AbortSignal,
  hint = "run the same command again: finished stages are reused and training resumes from its last checkpoint",
): RerankTuneError {
  const terminated = signal.reason === "SIGTERM";
  return new RerankTuneError({
    code: terminated ? "TERMINATED" : "INTERRUPTED",
    message: terminated ? "Stopped by SIGTERM." : "Stopped by Ctrl-C.",
    hint,
  });
}
