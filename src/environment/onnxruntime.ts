// onnxruntime-node: from our own node_modules, or fetched once into the tool's cache without its install script, which downloads CUDA files and dies where that host is blocked (onnx.md §8).
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { acquireLock } from "../artifacts/lock.js";
import { fromFileSystemError, RerankTuneError } from "../errors.js";
import type { StageEvent } from "../events.js";
import { homeFolder } from "./home.js";
import { packageDescription } from "./package-root.js";
import { requireSupportedPlatform } from "./platform.js";

export type OnnxRuntime = typeof import("onnxruntime-node");

export interface OnnxRuntimeOptions {
  home?: string;
  emit?(event: StageEvent): void;
  signal?: AbortSignal;
  /** Files whose node_modules are looked through first; for tests. */
  from?: string;
}

/** The pinned version, from our package.json. */
export function onnxRuntimeVersion(): string {
  return packageDescription().peerDependencies["onnxruntime-node"] ?? "";
}

/** Loads it into this process; the native library is about 20 MB. */
export async function loadOnnxRuntime(options: OnnxRuntimeOptions = {}): Promise<OnnxRuntime> {
  const entry = await onnxRuntimeEntry(options);
  try {
    return createRequire(entry)(entry) as OnnxRuntime;
  } catch (error) {
    throw new RerankTuneError({
      code: "RUNTIME_MISSING",
      message: `onnxruntime-node at ${dirname(entry)} cannot be loaded: ${(error as Error).message.split("\n")[0]}.`,
      hint: `remove ${packageFolder(entry)} and run the same command again; on Linux it needs glibc 2.28 or newer`,
      cause: error,
    });
  }
}

/**
 * Path of the module file to `require`, fetched when absent.
 * @throws RerankTuneError RUNTIME_MISSING, PLATFORM_UNSUPPORTED.
 */
export async function onnxRuntimeEntry(options: OnnxRuntimeOptions = {}): Promise<string> {
  const found = findOnnxRuntime(options);
  if (found !== undefined) return found;
  requireSupportedPlatform();
  const folder = fetchedFolder(options.home ?? homeFolder());
  await mkdir(dirname(folder), { recursive: true }).catch((error) => rethrow(error, folder));
  const release = await acquireLock(`${folder}.lock`, { waitMs: 600_000 });
  try {
    return findOnnxRuntime(options) ?? (await fetch(folder, options));
  } finally {
    await release();
  }
}

/** Where it is now, without fetching; another version than the pinned one does not count. */
export function findOnnxRuntime(options: OnnxRuntimeOptions = {}): string | undefined {
  const fetched = join(fetchedFolder(options.home ?? homeFolder()), "package.json");
  for (const origin of [options.from ?? import.meta.filename, fetched]) {
    const entry = resolveFrom(origin);
    if (entry !== undefined && versionOf(entry) === onnxRuntimeVersion()) return entry;
  }
  return undefined;
}

function resolveFrom(origin: string): string | undefined {
  try {
    return createRequire(origin).resolve("onnxruntime-node");
  } catch {
    return undefined; // not there: the next place is asked
  }
}

function packageFolder(entry: string): string {
  let folder = dirname(entry);
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

function versionOf(entry: string): string {
  return (JSON.parse(readFileSync(join(packageFolder(entry), "package.json"), "utf8")) as { version: string }).version;
}

function fetchedFolder(home: string): string {
  return join(home, "node", `onnxruntime-node-${onnxRuntimeVersion()}`);
}

async function fetch(folder: string, options: OnnxRuntimeOptions): Promise<string> {
  const name = `onnxruntime-node@${onnxRuntimeVersion()}`;
  options.emit?.({
    type: "note",
    message: `fetching ${name} into ${folder} (about 100 MB, once; no install script is run)`,
  });
  const temporary = await mkdtemp(`${folder}.`).catch((error) => rethrow(error, folder));
  try {
    await writeFile(join(temporary, "package.json"), JSON.stringify({ name: "rerank-tune-runtime", private: true }));
    await install(name, temporary, options.signal);
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw fromFileSystemError(error, folder) ?? error;
  }
  const entry = resolveFrom(join(folder, "package.json"));
  if (entry === undefined) throw missing(name, folder, []);
  return entry;
}

async function install(name: string, folder: string, signal: AbortSignal | undefined): Promise<void> {
  const args = [
    "install",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-package-lock",
    "--no-save",
    "--global=false",
    "--prefix",
    folder,
    name,
  ];
  const result = await execa("npm", args, {
    cwd: folder,
    all: true,
    reject: false,
    stdin: "ignore",
    env: { ONNXRUNTIME_NODE_INSTALL: "skip" },
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  if (result.exitCode !== 0)
    throw missing(name, folder, (result.all ?? String(result.shortMessage)).split("\n").slice(-12));
}

function missing(name: string, folder: string, lines: string[]): RerankTuneError {
  return new RerankTuneError({
    code: "RUNTIME_MISSING",
    message: `${name} could not be fetched into ${dirname(folder)}.`,
    hint: `check the network and \`npm config get registry\`, or install it beside rerank-tune: \`npm install --ignore-scripts ${name}\``,
    problems: lines.filter((line) => line.trim() !== "").map((message) => ({ message: message.slice(0, 300) })),
  });
}

function rethrow(error: unknown, path: string): never {
  throw fromFileSystemError(error, path) ?? error;
}
