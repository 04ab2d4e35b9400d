// Builds one environment: venv, torch, the lock, a check of what was installed, and the stamp last. Locking and finding are the caller's.
import { createWriteStream } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { RerankTuneError } from "../errors.js";
import type { FoundPython } from "./find-python.js";
import { lockedRequirements } from "./lock-file.js";
import { LOCK_FILE, TEI_LOCK_FILE } from "./package-root.js";
import { installBeside, pipFailure, pipInstall, type StepLog, type StepOptions, step } from "./pip.js";
import type { ReadyStamp } from "./ready-stamp.js";
import { chooseTorch, TORCH_VERSION, type TorchSource } from "./torch-source.js";

export interface BuildOptions extends StepOptions {
  python: FoundPython;
  requested: string | null;
  stampFile: string;
}

const LOG_NAME = "build.log";
const AGAIN = "rerank-tune env --rebuild";
/** Folder in the environment; python/rerank_tune_worker/quantization/tei_runtime.py looks there. */
const TEI_RUNTIME = "tei-runtime";

/** Compares what is installed with the lock by the rules of Python packaging; prints one tagged line. */
const CHECK = `
import json, sys
from importlib import metadata
from packaging.requirements import Requirement
problems, torch = [], None
for line in json.loads(sys.argv[1]):
    requirement = Requirement(line)
    if requirement.marker is not None and not requirement.marker.evaluate():
        continue
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        problems.append(f"{requirement.name} is missing")
        continue
    if requirement.name == "torch":
        torch = version
    if not requirement.specifier.contains(version, prereleases=True):
        problems.append(f"{requirement.name} is {version}, not {requirement.specifier}")
print("rerank-tune:" + json.dumps({"problems": problems, "torch": torch}))
`;

/** @throws RerankTuneError ENVIRONMENT_BROKEN with the last lines of what failed. */
export async function buildEnvironment(options: BuildOptions): Promise<ReadyStamp> {
  const { folder, executable, python, signal, emit } = options;
  await mkdir(folder, { recursive: true });
  const log = { stream: createWriteStream(join(folder, LOG_NAME)), name: LOG_NAME, again: AGAIN };
  try {
    emit({ type: "phase", name: "create the Python environment" });
    await step(options, log, python.executable, ["-I", "-m", "venv", folder]);
    const torch = await chooseTorch({ python: executable, minor: python.minor, signal, variables: options.variables });
    if (torch.note !== undefined) emit({ type: torch.kind === "default" ? "warning" : "note", message: torch.note });
    emit({ type: "phase", name: "install torch" });
    const before = torchArguments(torch);
    if (before !== undefined) await step(options, log, executable, [...pipInstall(options), ...before]);
    emit({ type: "phase", name: "fetch the Python packages" });
    await step(options, log, executable, [...pipInstall(options), "--requirement", LOCK_FILE]);
    await addTeiRuntime(options, log);
    emit({ type: "phase", name: "check the Python packages" });
    const installed = await checkInstalled(options);
    return await writeStamp(options, installed);
  } finally {
    await new Promise((resolve) => log.stream.end(resolve));
  }
}

/** Without it everything works but the comparison with TEI's scores, so a mirror that lacks the version does not stop the build. */
async function addTeiRuntime(options: BuildOptions, log: StepLog): Promise<void> {
  try {
    await installBeside(options, log, TEI_RUNTIME, TEI_LOCK_FILE);
  } catch (error) {
    if (!(error instanceof RerankTuneError) || error.code !== "ENVIRONMENT_BROKEN") throw error;
    const packages = lockedRequirements(TEI_LOCK_FILE).join(", ");
    const message = `${packages} could not be had: graphs are not scored as Text Embeddings Inference will (${join(options.folder, "build.log")})`;
    options.emit({ type: "warning", message });
  }
}

function torchArguments(source: TorchSource): string[] | undefined {
  if (source.kind === "wheel") return ["--no-deps", source.path];
  if (source.kind === "index") return ["--no-deps", "--index-url", source.url, `torch==${TORCH_VERSION}+cpu`];
  return undefined;
}

async function checkInstalled(options: BuildOptions): Promise<string> {
  const result = await execa(options.executable, ["-I", "-c", CHECK, JSON.stringify(lockedRequirements())], {
    reject: false,
    stdin: "ignore",
    cancelSignal: options.signal,
  });
  options.signal.throwIfAborted();
  const line = (result.stdout ?? "").split("\n").find((text) => text.startsWith("rerank-tune:"));
  if (line === undefined)
    throw failure(options, "The new environment does not answer", (result.stderr ?? "").split("\n").slice(-15));
  const { problems, torch } = JSON.parse(line.slice("rerank-tune:".length)) as { problems: string[]; torch: string };
  if (problems.length > 0) throw failure(options, "The installed packages differ from the lock", problems);
  return torch;
}

async function writeStamp(options: BuildOptions, torch: string): Promise<ReadyStamp> {
  const { python, requested, folder } = options;
  const stamp: ReadyStamp = {
    schema: 1,
    python: python.version,
    base: python.executable,
    requested,
    torch,
    built: new Date().toISOString(),
  };
  const path = join(folder, options.stampFile);
  await writeFile(`${path}.new`, JSON.stringify(stamp, null, 2));
  await rename(`${path}.new`, path);
  return stamp;
}

const failure = (options: BuildOptions, what: string, lines: string[]): RerankTuneError =>
  pipFailure(options, { name: LOG_NAME, again: AGAIN }, what, lines);
