// The only door to Python: starts the worker on one job, turns its event lines into stage events, and ends in exactly one outcome.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa, type ResultPromise } from "execa";
import { ERROR_CODES, type ErrorCode, interrupted, RerankTuneError } from "../errors.js";
import type { StageEvent } from "../pipeline/stage.js";
import { type Launch, RENDEZVOUS_SECONDS, startCommand } from "./launch.js";
import {
  CANCEL_LINE,
  type DoneEvent,
  PROTOCOL_VERSION,
  type WorkerEvent,
  type WorkerJob,
  workerEventSchema,
} from "./protocol.js";
import { keepLog } from "./worker-log.js";

/** A ready Python environment. */
export interface PythonRuntime {
  executable: string;
  /** Absolute path of worker.py. */
  worker: string;
  /** Variables added to the child's environment. */
  variables: Record<string, string>;
  /** Several processes for the jobs that train; one when left out. */
  launch?: Launch;
}

export interface RunJobOptions {
  runtime: PythonRuntime;
  job: WorkerJob;
  /** Folder for job.json, worker.log and tracebacks. */
  recordsDir: string;
  signal: AbortSignal;
  emit(event: StageEvent): void;
  /** Seconds to the first event; importing torch from a cold disk takes long. */
  helloSeconds?: number;
  /** Seconds between cancelling and killing. */
  graceSeconds?: number;
}

/** glibc's allocator returns pages to the kernel after every step by default; page faults then cost a third of the time (training.md §9). */
export const WORKER_VARIABLES = {
  MALLOC_MMAP_MAX_: "0",
  MALLOC_TRIM_THRESHOLD_: "17179869184",
  MALLOC_TOP_PAD_: "268435456",
  // Idle OpenMP threads sleep instead of spinning: beside another busy process on 2 cores, training ran at 3,900 instead of 480 tokens/s.
  OMP_WAIT_POLICY: "passive",
  GOMP_SPINCOUNT: "1000",
  TOKENIZERS_PARALLELISM: "false",
  HF_HUB_OFFLINE: "1",
  PYTHONHASHSEED: "0",
} as const;

/**
 * Runs one job to its end.
 * @returns the worker's `done` event.
 * @throws RerankTuneError WORKER_* when the worker fails, is killed or talks nonsense; INTERRUPTED when the signal fired.
 */
export async function runJob(options: RunJobOptions): Promise<DoneEvent> {
  await mkdir(options.recordsDir, { recursive: true });
  const jobFile = join(options.recordsDir, "job.json");
  await writeFile(jobFile, JSON.stringify(options.job, null, 2));
  const launch = launchOf(options);
  if (launch !== undefined) await writeFile(join(options.recordsDir, "launch.json"), JSON.stringify(launch, null, 2));
  const { file, args, variables } = startCommand(options.runtime, jobFile, launch);
  const child = execa(file, args, {
    env: { ...WORKER_VARIABLES, ...variables, ...options.runtime.variables },
    buffer: false,
    reject: false,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const conversation = new Conversation(options, child);
  return await conversation.outcome();
}

/** Every other job is one process wherever it runs. */
function launchOf({ job, runtime }: RunJobOptions): Launch | undefined {
  return job.kind === "train" ? runtime.launch : undefined;
}

/** State of one talk with a worker; lives as long as its process. */
class Conversation {
  private terminal: WorkerEvent | undefined;
  private violation: RerankTuneError | undefined;
  private greeted = false;
  private readonly lastLines: string[] = [];

  constructor(
    private readonly options: RunJobOptions,
    private readonly child: ResultPromise<{
      buffer: false;
      reject: false;
      stdin: "pipe";
      stdout: "pipe";
      stderr: "pipe";
    }>,
  ) {}

  async outcome(): Promise<DoneEvent> {
    const { signal } = this.options;
    const cancel = () => this.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    const greeting = setTimeout(() => this.stop(this.noHello()), this.helloSeconds() * 1000);
    if (signal.aborted) this.cancel();
    try {
      const log = keepLog(this.child.stderr, join(this.options.recordsDir, "worker.log"), this.lastLines);
      await this.readEvents(() => clearTimeout(greeting));
      const result = await this.child;
      await log;
      return this.judge(result.exitCode, result.signal, result.failed ? result.cause : undefined);
    } finally {
      clearTimeout(greeting);
      signal.removeEventListener("abort", cancel);
    }
  }

  /** Machines that wait for one another greet late. */
  private helloSeconds(): number {
    const together = (launchOf(this.options)?.nodes ?? 1) > 1;
    return (this.options.helloSeconds ?? 180) + (together ? RENDEZVOUS_SECONDS : 0);
  }

  private async readEvents(onHello: () => void): Promise<void> {
    for await (const line of createInterface({ input: this.child.stdout })) {
      if (this.violation !== undefined) continue;
      const event = this.parse(line);
      if (event === undefined) continue;
      if (!this.greeted) {
        if (event.type !== "hello") this.stop(this.garbage(line));
        this.greeted = true;
        onHello();
      } else this.receive(event, line);
    }
  }

  private parse(line: string): WorkerEvent | undefined {
    let raw: unknown;
    try {
      raw = JSON.parse(line);
    } catch {
      this.stop(this.garbage(line));
      return undefined;
    }
    const version = (raw as { v?: unknown } | null)?.v;
    if (version !== undefined && version !== PROTOCOL_VERSION) {
      this.stop(versionMismatch(version));
      return undefined;
    }
    const parsed = workerEventSchema.safeParse(raw);
    if (parsed.success) return parsed.data;
    const known = workerEventSchema.options.some(
      (option) => option.shape.type.value === (raw as { type?: string } | null)?.type,
    );
    // A newer worker may know more events; an event we do know must be well formed.
    if (known || typeof (raw as { type?: unknown } | null)?.type !== "string") this.stop(this.garbage(line));
    else this.options.emit({ type: "warning", message: `the worker sent an unknown event: ${line.slice(0, 200)}` });
    return undefined;
  }

  private receive(event: WorkerEvent, line: string): void {
    if (this.terminal !== undefined) this.stop(this.garbage(line));
    else if (event.type === "done" || event.type === "error") this.terminal = event;
    else forward(event, this.options.emit);
  }

  private cancel(): void {
    this.child.stdin.write(CANCEL_LINE, () => undefined);
    const grace = (this.options.graceSeconds ?? 10) * 1000;
    setTimeout(() => this.child.kill("SIGKILL"), grace).unref();
  }

  private stop(error: RerankTuneError): void {
    this.violation ??= error;
    this.child.kill("SIGKILL");
  }

  private judge(exitCode: number | undefined, signal: string | undefined, cause: unknown): DoneEvent {
    if (this.options.signal.aborted) throw interrupted(this.options.signal);
    if (this.violation !== undefined) throw this.violation;
    if (this.terminal?.type === "done" && exitCode === 0) return this.terminal;
    if (this.terminal?.type === "error") throw workerFailed(this.terminal, this.options.recordsDir);
    throw this.crashed(exitCode, signal, cause);
  }

  private crashed(exitCode: number | undefined, signal: string | undefined, cause: unknown): RerankTuneError {
    // torchrun ends with 1 whatever happened, and says what on standard error.
    const rankKilled = this.lastLines.some((line) => /exitcode\s*: -9\b/.test(line));
    const killed = signal === "SIGKILL" || exitCode === 137 || rankKilled;
    const log = join(this.options.recordsDir, "worker.log");
    return new RerankTuneError({
      code: killed ? "WORKER_OUT_OF_MEMORY" : "WORKER_CRASHED",
      message: `The Python worker ended without a result (${signal ?? `exit code ${exitCode ?? "none"}`}).`,
      hint: killed
        ? "if the kernel killed it for memory, lower `train.micro_batch_tokens` or `train.max_length`; then run the same command again, it resumes"
        : `read ${log}, then run \`rerank-tune doctor\``,
      problems: this.lastLines.map((message) => ({ message })),
      cause,
    });
  }

  private noHello(): RerankTuneError {
    return new RerankTuneError({
      code: "WORKER_PROTOCOL",
      message: "The Python worker did not greet in time.",
      hint: "run `rerank-tune doctor` to test the Python environment",
    });
  }

  private garbage(line: string): RerankTuneError {
    return new RerankTuneError({
      code: "WORKER_PROTOCOL",
      message: `The Python worker printed a line that is not an event: ${JSON.stringify(line.slice(0, 200))}.`,
      hint: "run `rerank-tune env --rebuild` to restore the worker's environment",
    });
  }
}

function forward(event: WorkerEvent, emit: (event: StageEvent) => void): void {
  if (event.type === "phase") emit({ type: "phase", name: event.name });
  else if (event.type === "progress")
    emit({ type: "progress", completed: event.completed, total: event.total, unit: event.unit });
  else if (event.type === "metric")
    emit({ type: "metric", name: event.name, value: event.value, step: event.step, split: event.split });
  else if (event.type === "log" && event.level !== "debug")
    emit({ type: event.level === "warning" ? "warning" : "note", message: event.message });
}

function versionMismatch(version: unknown): RerankTuneError {
  return new RerankTuneError({
    code: "WORKER_VERSION_MISMATCH",
    message: `The Python worker speaks protocol ${String(version)}, this program speaks ${PROTOCOL_VERSION}.`,
    hint: "install rerank-tune again, so that both halves come from one release",
  });
}

function workerFailed(event: Extract<WorkerEvent, { type: "error" }>, recordsDir: string): RerankTuneError {
  const code: ErrorCode = event.code in ERROR_CODES ? (event.code as ErrorCode) : "WORKER_FAILED";
  return new RerankTuneError({
    code,
    message: event.message,
    hint: event.hint || `read ${event.traceback_file ?? join(recordsDir, "worker.log")}`,
  });
}
