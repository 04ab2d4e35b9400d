// The only door to Python: starts the worker on one job, turns its event lines into stage events, and ends in exactly one outcome.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa, type ResultPromise } from "execa";
import type { Launch, PythonRuntime } from "../environment/python-runtime.js";
import { interrupted, type RerankTuneError } from "../errors.js";
import type { StageEvent } from "../events.js";
import { LAUNCHER_STOP_SECONDS, RENDEZVOUS_SECONDS, startCommand } from "./launch.js";
import {
  CANCEL_LINE,
  type DoneEvent,
  PROTOCOL_VERSION,
  type WorkerEvent,
  type WorkerJob,
  workerEventSchema,
} from "./protocol.js";
import { SILENCE_SECONDS, STANDSTILL_SECONDS, Watchdog } from "./watchdog.js";
import { crashed, garbage, noHello, reported, silent, standstill, versionMismatch } from "./worker-failures.js";
import { keepLog } from "./worker-log.js";

export interface RunJobOptions {
  runtime: PythonRuntime;
  job: WorkerJob;
  /** Folder for job.json, worker.log and tracebacks. */
  recordsDir: string;
  signal: AbortSignal;
  emit(event: StageEvent): void;
  /** Seconds to the first event; importing torch from a cold disk takes long. */
  helloSeconds?: number;
  /** Seconds without any event, after the greeting, until the worker counts as frozen and is stopped. */
  silenceSeconds?: number;
  /** Seconds with signs of life alone until a warning. */
  standstillSeconds?: number;
  /** Seconds between asking and killing. */
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
 * @throws RerankTuneError WORKER_* when the worker fails, is killed, talks nonsense or freezes; INTERRUPTED when the signal fired.
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
  private readonly watchdog: Watchdog;
  /** Rejects when not even killing ends the process. */
  private readonly abandoned: Promise<never>;
  private abandon: (error: RerankTuneError) => void = () => undefined;

  constructor(
    private readonly options: RunJobOptions,
    private readonly child: ResultPromise<{
      buffer: false;
      reject: false;
      stdin: "pipe";
      stdout: "pipe";
      stderr: "pipe";
    }>,
  ) {
    this.abandoned = new Promise((_, reject) => {
      this.abandon = reject;
    });
    const { silenceSeconds = SILENCE_SECONDS, standstillSeconds = STANDSTILL_SECONDS, recordsDir, emit } = options;
    this.watchdog = new Watchdog({
      silenceSeconds,
      standstillSeconds,
      onSilence: () => this.endFrozen(silent(silenceSeconds, recordsDir)),
      onStandstill: (phase) => emit({ type: "warning", message: standstill(standstillSeconds, phase, recordsDir) }),
    });
  }

  async outcome(): Promise<DoneEvent> {
    const { signal } = this.options;
    const cancel = () => this.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    const greeting = setTimeout(() => this.stop(noHello()), this.helloSeconds() * 1000);
    if (signal.aborted) this.cancel();
    try {
      return await Promise.race([this.listen(() => clearTimeout(greeting)), this.abandoned]);
    } finally {
      clearTimeout(greeting);
      this.watchdog.stop();
      signal.removeEventListener("abort", cancel);
    }
  }

  private async listen(onHello: () => void): Promise<DoneEvent> {
    const log = keepLog(this.child.stderr, join(this.options.recordsDir, "worker.log"), this.lastLines);
    await this.readEvents(onHello);
    const result = await this.child;
    await log;
    return this.judge(result.exitCode, result.signal, result.failed ? result.cause : undefined);
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
      this.watchdog.heard(event);
      if (!this.greeted) {
        if (event.type !== "hello") this.stop(garbage(line));
        this.greeted = true;
        onHello();
        this.watchdog.start();
      } else if (event.type !== "alive") this.receive(event, line);
    }
  }

  private parse(line: string): WorkerEvent | undefined {
    let raw: unknown;
    try {
      raw = JSON.parse(line);
    } catch {
      this.stop(garbage(line));
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
    if (known || typeof (raw as { type?: unknown } | null)?.type !== "string") this.stop(garbage(line));
    else this.options.emit({ type: "warning", message: `the worker sent an unknown event: ${line.slice(0, 200)}` });
    return undefined;
  }

  private receive(event: WorkerEvent, line: string): void {
    if (this.terminal !== undefined) this.stop(garbage(line));
    else if (event.type === "done" || event.type === "error") this.terminal = event;
    else forward(event, this.options.emit);
  }

  private cancel(): void {
    this.watchdog.stop();
    this.child.stdin.write(CANCEL_LINE, () => undefined);
    const grace = (this.options.graceSeconds ?? 10) * 1000;
    setTimeout(() => this.child.kill("SIGKILL"), grace).unref();
  }

  private stop(error: RerankTuneError): void {
    this.violation ??= error;
    this.child.kill("SIGKILL");
  }

  /**
   * A launcher is asked first: it kills frozen ranks, which it would leave behind if it were killed itself.
   * What hangs in a driver outlives even that.
   */
  private endFrozen(silence: RerankTuneError): void {
    // What it said before it hung at its end tells more.
    const error = this.terminal?.type === "error" ? reported(this.terminal, this.options.recordsDir) : silence;
    this.violation ??= error;
    const launched = launchOf(this.options) !== undefined;
    this.child.kill(launched ? "SIGTERM" : "SIGKILL");
    const grace = this.options.graceSeconds ?? (launched ? LAUNCHER_STOP_SECONDS : 10);
    const giveUp = () => {
      this.child.kill("SIGKILL");
      this.abandon(error);
    };
    setTimeout(giveUp, grace * 1000).unref();
  }

  private judge(exitCode: number | undefined, signal: string | undefined, cause: unknown): DoneEvent {
    if (this.options.signal.aborted) throw interrupted(this.options.signal);
    if (this.violation !== undefined) throw this.violation;
    if (this.terminal?.type === "done" && exitCode === 0) return this.terminal;
    if (this.terminal?.type === "error") throw reported(this.terminal, this.options.recordsDir);
    const { lastLines } = this;
    throw crashed({ exitCode, signal, cause, lastLines, recordsDir: this.options.recordsDir });
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
