// Builds one environment: venv, torch, the lock, a check of what was installed, and the stamp last. Locking and finding are the caller's.
import type { EventEmitter } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { RerankTuneError } from "../errors.js";
import type { StageEvent } from "../pipeline/stage.js";
import type { FoundPython } from "./find-python.js";
import { lockedRequirements } from "./lock-file.js";
import { LOCK_FILE, TEI_LOCK_FILE } from "./package-root.js";
import type { ReadyStamp } from "./python-environment.js";
import { chooseTorch, TORCH_VERSION, type TorchSource } from "./torch-source.js";

export interface BuildOptions {
  folder: string;
  /** The interpreter the venv will have. */
  executable: string;
  python: FoundPython;
  requested: string | null;
  stampFile: string;
  variables: NodeJS.ProcessEnv;
  signal: AbortSignal;
  emit(event: StageEvent): void;
}

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
  const log = createWriteStream(join(folder, "build.log"));
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
    await new Promise((resolve) => log.end(resolve));
  }
}

/** Without it everything works but the comparison with TEI's scores, so a mirror that lacks the version does not stop the build. */
async function addTeiRuntime(options: BuildOptions, log: WriteStream): Promise<void> {
  const target = ["--no-deps", "--target", join(options.folder, TEI_RUNTIME), "--requirement", TEI_LOCK_FILE];
  try {
    await step(options, log, options.executable, [...pipInstall(options), ...target]);
  } catch (error) {
    if (!(error instanceof RerankTuneError) || error.code !== "ENVIRONMENT_BROKEN") throw error;
    const packages = lockedRequirements(TEI_LOCK_FILE).join(", ");
    const message = `${packages} could not be had: graphs are not scored as Text Embeddings Inference will (${join(options.folder, "build.log")})`;
    options.emit({ type: "warning", message });
  }
}

function pipInstall({ variables }: BuildOptions): string[] {
  const wheels = variables.RERANK_TUNE_WHEELS;
  return [
    "-I",
    "-m",
    "pip",
    "install",
    "--no-input",
    "--progress-bar",
    "off",
    ...(wheels ? ["--find-links", wheels] : []),
  ];
}

function torchArguments(source: TorchSource): string[] | undefined {
  if (source.kind === "wheel") return ["--no-deps", source.path];
  if (source.kind === "index") return ["--no-deps", "--index-url", source.url, `torch==${TORCH_VERSION}+cpu`];
  return undefined;
}

/** Runs one command; its output goes to the log, what pip is collecting or downloading to the reader as progress. */
async function step(options: BuildOptions, log: WriteStream, file: string, args: string[]): Promise<void> {
  const last: string[] = [];
  log.write(`$ ${file} ${args.join(" ")}\n`);
  const total = lockedRequirements().length;
  let collected = 0;
  const child = execa(file, args, {
    all: true,
    buffer: false,
    reject: false,
    stdin: "ignore",
    // A user's pip settings that send packages elsewhere would leave the environment empty.
    env: {
      ...options.variables,
      PIP_USER: "0",
      PIP_TARGET: "",
      PIP_PREFIX: "",
      PIP_REQUIRE_VIRTUALENV: "0",
      PYTHONHOME: undefined,
    },
    extendEnv: false,
    cancelSignal: options.signal,
  });
  for await (const line of createInterface({ input: child.all, signal: options.signal })) {
    log.write(`${line}\n`);
    if (last.push(line) > 15) last.shift();
    if (/^(?:Collecting|Processing|Requirement already).*\(line \d+\)\)$/.test(line))
      options.emit({ type: "progress", completed: Math.min(++collected, total), total, unit: "packages" });
    if (/^Installing collected/.test(line)) options.emit({ type: "phase", name: "unpack them" });
  }
  if (options.signal.aborted) await stopped(child);
  options.signal.throwIfAborted();
  const result = await child;
  if (result.exitCode !== 0)
    throw broken(
      options,
      `\`${["python", ...args.slice(1, 4)].join(" ")}\` failed (${result.code ?? result.signal ?? `exit code ${result.exitCode}`})`,
      last,
    );
}

/** Waits for the process but not for its pipes, which a grandchild may hold open. */
async function stopped(child: {
  exitCode: number | null;
  signalCode: string | null;
  once: EventEmitter["once"];
}): Promise<void> {
  if (child.exitCode === null && child.signalCode === null)
    await new Promise<void>((resolve) => child.once("exit", () => resolve()));
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
    throw broken(options, "The new environment does not answer", (result.stderr ?? "").split("\n").slice(-15));
  const { problems, torch } = JSON.parse(line.slice("rerank-tune:".length)) as { problems: string[]; torch: string };
  if (problems.length > 0) throw broken(options, "The installed packages differ from the lock", problems);
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

/** Disk and network troubles of pip have their own names, because they have their own remedies. */
function broken(options: BuildOptions, what: string, lines: string[]): RerankTuneError {
  const text = lines.join("\n");
  const problems = lines.filter((line) => line.trim() !== "").map((message) => ({ message: message.slice(0, 300) }));
  const log = join(options.folder, "build.log");
  if (/No space left on device|Errno 28|Disk quota exceeded/.test(text))
    return new RerankTuneError({
      code: "DISK_FULL",
      message: `No space is left on the disk while building ${options.folder}.`,
      hint: `free space, see \`df -h ${options.folder}\`, or set RERANK_TUNE_HOME to a folder on another disk; then run the same command again`,
      problems,
    });
  if (
    /No matching distribution|Could not find a version|ConnectionError|NewConnectionError|Max retries|Temporary failure in name resolution/.test(
      text,
    )
  )
    return new RerankTuneError({
      code: "ENVIRONMENT_BROKEN",
      message: `${what}: a package could not be had from the configured index.`,
      hint: `check the network and \`${options.executable} -m pip config list\` (proxy: HTTPS_PROXY, mirror: PIP_INDEX_URL, wheels on disk: RERANK_TUNE_WHEELS), then run \`rerank-tune env --rebuild\`; all output is in ${log}`,
      problems,
    });
  return new RerankTuneError({
    code: "ENVIRONMENT_BROKEN",
    message: `${what}.`,
    hint: `read ${log}, then run \`rerank-tune env --rebuild\``,
    problems,
  });
}
