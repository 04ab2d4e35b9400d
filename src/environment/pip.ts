// Running pip in an environment, and what its troubles are called. Used while one is built and to add to one that is there.
import type { EventEmitter } from "node:events";
import type { WriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { RerankTuneError } from "../errors.js";
import type { StageEvent } from "../events.js";
import { lockedRequirements } from "./lock-file.js";

/** What one command in an environment needs. */
export interface StepOptions {
  /** The environment. */
  folder: string;
  /** Its interpreter. */
  executable: string;
  variables: NodeJS.ProcessEnv;
  signal: AbortSignal;
  emit(event: StageEvent): void;
}

/** Where a step's output goes, and what a user runs after a failure. */
export interface StepLog {
  stream: WriteStream;
  /** In the environment. */
  name: string;
  again: string;
}

/** Packages that would get into the way of the environment's own have a folder of their own in it. */
export async function installBeside(options: StepOptions, log: StepLog, name: string, lock: string): Promise<void> {
  const target = ["--no-deps", "--target", join(options.folder, name), "--requirement", lock];
  await step(options, log, options.executable, [...pipInstall(options), ...target]);
}

/** Arguments of Python for `pip install`. */
export function pipInstall({ variables }: StepOptions): string[] {
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

/**
 * Runs one command; its output goes to the log, what pip is collecting or downloading to the reader as progress.
 * @throws RerankTuneError ENVIRONMENT_BROKEN, DISK_FULL.
 */
export async function step(options: StepOptions, log: StepLog, file: string, args: string[]): Promise<void> {
  const last: string[] = [];
  log.stream.write(`$ ${file} ${args.join(" ")}\n`);
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
    log.stream.write(`${line}\n`);
    if (last.push(line) > 15) last.shift();
    if (/^(?:Collecting|Processing|Requirement already).*\(line \d+\)\)$/.test(line))
      options.emit({ type: "progress", completed: Math.min(++collected, total), total, unit: "packages" });
    if (/^Installing collected/.test(line)) options.emit({ type: "phase", name: "unpack them" });
  }
  if (options.signal.aborted) await stopped(child);
  options.signal.throwIfAborted();
  const result = await child;
  if (result.exitCode !== 0)
    throw pipFailure(
      options,
      log,
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

/** Disk and network troubles of pip have their own names, because they have their own remedies. */
export function pipFailure(
  options: StepOptions,
  output: Omit<StepLog, "stream">,
  what: string,
  lines: string[],
): RerankTuneError {
  const text = lines.join("\n");
  const problems = lines.filter((line) => line.trim() !== "").map((message) => ({ message: message.slice(0, 300) }));
  const log = join(options.folder, output.name);
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
      hint: `check the network and \`${options.executable} -m pip config list\` (proxy: HTTPS_PROXY, mirror: PIP_INDEX_URL, wheels on disk: RERANK_TUNE_WHEELS), then run \`${output.again}\`; all output is in ${log}`,
      problems,
    });
  return new RerankTuneError({
    code: "ENVIRONMENT_BROKEN",
    message: `${what}.`,
    hint: `read ${log}, then run \`${output.again}\``,
    problems,
  });
}
