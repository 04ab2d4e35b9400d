// The pinned Python environment of the worker: found in milliseconds when it is there, built under a lock when it is not.
import { access, mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { acquireLock } from "../artifacts/lock.js";
import { fromFileSystemError, RerankTuneError } from "../errors.js";
import type { StageEvent } from "../events.js";
import { buildEnvironment } from "./build-environment.js";
import { findPython } from "./find-python.js";
import { lockDigest } from "./lock-file.js";
import { WORKER_FILE } from "./package-root.js";
import { requireSupportedPlatform } from "./platform.js";
import type { PythonRuntime } from "./python-runtime.js";
import { type ReadyStamp, readyStampSchema, STAMP_FILE } from "./ready-stamp.js";

export interface EnsurePythonOptions {
  /** Cache folder of the tool; see `homeFolder`. */
  home: string;
  emit(event: StageEvent): void;
  signal: AbortSignal;
  /** Throw away what is there and build it again. */
  rebuild?: boolean;
  variables?: NodeJS.ProcessEnv;
}

/** A ready environment on disk. */
export interface PythonEnvironment {
  folder: string;
  executable: string;
  stamp: ReadyStamp;
}

/** `<home>/python/<first 12 of the lock's sha256>-<python minor>`. */
export function environmentFolder(home: string, minor: string): string {
  return join(home, "python", `${lockDigest().slice(0, 12)}-${minor}`);
}

/** The interpreter inside an environment. */
export function environmentPython(folder: string): string {
  return process.platform === "win32" ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");
}

/**
 * The environment, built when it is not there yet; no Python is started when it is.
 * @throws RerankTuneError PYTHON_NOT_FOUND, PLATFORM_UNSUPPORTED, ENVIRONMENT_BROKEN, DISK_FULL, NOT_WRITABLE.
 */
export async function ensurePython(options: EnsurePythonOptions): Promise<PythonRuntime> {
  const ready = options.rebuild === true ? undefined : await findReadyEnvironment(options.home, options.variables);
  const { executable } = ready ?? (await build(options));
  return { executable, worker: WORKER_FILE, variables: {} };
}

/** The ready environment of this lock with the newest Python; with RERANK_TUNE_PYTHON the one made by that. */
export async function findReadyEnvironment(
  home: string,
  variables: NodeJS.ProcessEnv = process.env,
): Promise<PythonEnvironment | undefined> {
  const parent = join(home, "python");
  const prefix = `${lockDigest().slice(0, 12)}-3.`;
  const names = (await readdir(parent).catch(() => [])).filter(
    (name) => name.startsWith(prefix) && !name.includes(".lock"),
  );
  const minor = (name: string) => Number(name.slice(prefix.length));
  for (const name of names.sort((left, right) => minor(right) - minor(left))) {
    const found = await readEnvironment(join(parent, name));
    const requested = variables.RERANK_TUNE_PYTHON || null;
    if (found !== undefined && (requested === null || found.stamp.requested === requested)) return found;
  }
  return undefined;
}

async function readEnvironment(folder: string): Promise<PythonEnvironment | undefined> {
  const executable = environmentPython(folder);
  try {
    const stamp = readyStampSchema.parse(JSON.parse(await readFile(join(folder, STAMP_FILE), "utf8")));
    await stat(executable); // follows the link: a removed or replaced system Python leaves it dangling
    return { folder, executable, stamp };
  } catch {
    return undefined; // half built, or its interpreter is gone: built again
  }
}

async function build(options: EnsurePythonOptions): Promise<PythonEnvironment> {
  requireSupportedPlatform();
  const { home, signal, emit } = options;
  const python = await findPython(options.variables);
  signal.throwIfAborted();
  const folder = environmentFolder(home, python.minor);
  await mkdir(join(home, "python"), { recursive: true }).catch((error) => rethrow(error, home));
  const release = await waitForLock(`${folder}.lock`, options);
  try {
    const madeMeanwhile = options.rebuild === true ? undefined : await readEnvironment(folder);
    const requested = options.variables?.RERANK_TUNE_PYTHON ?? process.env.RERANK_TUNE_PYTHON ?? null;
    if (madeMeanwhile?.stamp.base === python.executable) return madeMeanwhile;
    await rm(folder, { recursive: true, force: true }).catch((error) => rethrow(error, folder));
    emit({
      type: "note",
      message: `building the Python environment in ${folder} with ${python.command} (Python ${python.version})`,
    });
    const stamp = await buildEnvironment({
      folder,
      executable: environmentPython(folder),
      python,
      requested,
      emit,
      signal,
      stampFile: STAMP_FILE,
      variables: options.variables ?? process.env,
    });
    return { folder, executable: environmentPython(folder), stamp };
  } catch (error) {
    throw fromFileSystemError(error, folder) ?? error;
  } finally {
    await release();
  }
}

/** Another process may be building the same environment for minutes; its result will do. */
async function waitForLock(path: string, options: EnsurePythonOptions): Promise<() => Promise<void>> {
  for (let told = false; ; told = true) {
    options.signal.throwIfAborted();
    try {
      return await acquireLock(path, { waitMs: 500 });
    } catch (error) {
      if (!(error instanceof RerankTuneError && error.code === "FOLDER_IN_USE")) throw error;
      await access(path).catch(() => undefined);
      if (!told)
        options.emit({
          type: "note",
          message: `waiting for another process that builds the Python environment (${path})`,
        });
    }
  }
}

function rethrow(error: unknown, path: string): never {
  throw fromFileSystemError(error, path) ?? error;
}
