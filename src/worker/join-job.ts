// A machine's part in a training that another one leads: starts its processes, keeps their log, and waits for their end. They write nothing else.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import type { Launch, PythonRuntime } from "../environment/python-runtime.js";
import { interrupted, RerankTuneError } from "../errors.js";
import { startCommand } from "./launch.js";
import type { WorkerJob } from "./protocol.js";
import { WORKER_VARIABLES } from "./run-job.js";
import { keepLog } from "./worker-log.js";

export interface JoinOptions {
  runtime: PythonRuntime;
  launch: Launch;
  job: WorkerJob;
  /** Folder for job.json and worker.log. */
  recordsDir: string;
  signal: AbortSignal;
}

/**
 * Takes part until machine 0 says that training is over.
 * @throws RerankTuneError WORKER_CRASHED when a process here failed, or machine 0 is gone or failed; INTERRUPTED when the signal fired.
 */
export async function joinJob(options: JoinOptions): Promise<void> {
  const { runtime, launch, job, recordsDir, signal } = options;
  await mkdir(recordsDir, { recursive: true });
  const jobFile = join(recordsDir, "job.json");
  await writeFile(jobFile, JSON.stringify(job, null, 2));
  const { file, args, variables } = startCommand(runtime, jobFile, launch);
  const child = execa(file, args, {
    env: { ...WORKER_VARIABLES, ...variables, ...runtime.variables },
    buffer: false,
    reject: false,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    // The ranks end by themselves once torchrun is gone, and machine 0 then tells of the loss.
    cancelSignal: signal,
    killSignal: "SIGKILL",
  });
  const lastLines: string[] = [];
  const log = keepLog(child.stderr, join(recordsDir, "worker.log"), lastLines);
  const result = await child;
  await log;
  if (signal.aborted) throw interrupted(signal, "run the same command again on every machine: training resumes");
  if (result.failed)
    throw ended(launch, recordsDir, result.signal ?? `exit code ${result.exitCode ?? "none"}`, lastLines);
}

function ended(launch: Launch, recordsDir: string, how: string, lastLines: string[]): RerankTuneError {
  const first = lastLines.find((line) => /^rank \d+: /.test(line));
  return new RerankTuneError({
    code: "WORKER_CRASHED",
    message: `Machine ${launch.nodeRank} of ${launch.nodes} left the training before its end (${how})${first === undefined ? "" : `; ${first}`}.`,
    hint: `read what machine 0 says and ${join(recordsDir, "worker.log")}; then run the same command again on every machine, it resumes`,
    problems: lastLines.map((message) => ({ message })),
  });
}
