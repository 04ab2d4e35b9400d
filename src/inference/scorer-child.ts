// One talk with one scoring process: requests out, replies in, and exactly one error when the process dies. Knows nothing of batching.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { onnxRuntimeEntry } from "../environment/onnxruntime.js";
import { PACKAGE_ROOT } from "../environment/package-root.js";
import { interrupted, RerankTuneError } from "../errors.js";
import { checkGraph } from "../model-folder/graph-check.js";
import type {
  Embedded,
  EmbedRequest,
  Opened,
  Profiled,
  ProfileRequest,
  Provider,
  Reply,
  RunRequest,
  Scored,
} from "./messages.js";

export interface OpenOptions {
  /** Absolute path of the ONNX file. */
  modelFile: string;
  provider: Provider;
  /** 0: one a physical core. */
  threads: number;
  /** Start of the path of a profile to write until `endProfile`. */
  profilePrefix?: string;
  signal?: AbortSignal;
  /** The compiled child; for tests that run the sources. */
  processFile?: string;
}

type Answer = Scored | Embedded | Profiled;
type Waiting = { resolve(reply: Answer): void; reject(error: unknown): void };

/** Compiled beside this file; when the sources run unbuilt (tests), the build has it. */
export function scorerProcessFile(): string {
  const beside = join(import.meta.dirname, "scorer-process.js");
  return existsSync(beside) ? beside : join(PACKAGE_ROOT, "dist", "inference", "scorer-process.js");
}

export class ScorerChild {
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 0;
  private ended: RerankTuneError | undefined;
  private errorOutput = "";
  private readonly exit: Promise<void>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly options: OpenOptions,
  ) {
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.errorOutput = (this.errorOutput + text).slice(-4000);
    });
    this.exit = new Promise((resolve) => {
      // Not `close`: it never comes once the channel was disconnected from this side (Node 20).
      child.once("exit", (code, signal) => {
        void this.lastWords().then(() => {
          this.end(this.died(code, signal));
          resolve();
        });
      });
      child.once("error", (cause) => {
        this.end(failure(`The scoring process could not be started: ${cause.message}.`, [], cause));
        resolve();
      });
    });
  }

  /**
   * Starts a process and opens the model in it.
   * @throws RerankTuneError MODEL_UNSUPPORTED or MODEL_NOT_FOUND by what the file says of itself; SCORER_FAILED when the process
   * or the model cannot be opened; INTERRUPTED or TERMINATED on abort.
   */
  static async open(options: OpenOptions): Promise<{ child: ScorerChild; opened: Opened }> {
    await checkGraph(options.modelFile);
    const runtimeEntry = await onnxRuntimeEntry(options.signal === undefined ? {} : { signal: options.signal });
    if (options.signal?.aborted) throw interrupted(options.signal);
    const file = options.processFile ?? scorerProcessFile();
    const process = fork(file, [], {
      serialization: "advanced",
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    const scorer = new ScorerChild(process, options);
    const abort = () => scorer.kill();
    options.signal?.addEventListener("abort", abort, { once: true });
    process.once("exit", () => options.signal?.removeEventListener("abort", abort));
    const { modelFile, provider, threads, profilePrefix } = options;
    const opened = scorer.firstReply();
    const profile = profilePrefix === undefined ? {} : { profilePrefix };
    process.send({ type: "open", runtimeEntry, modelFile, provider, threads, ...profile }, () => undefined);
    return { child: scorer, opened: await opened };
  }

  /** Scores one batch. */
  async run(batch: Omit<RunRequest, "type" | "id">): Promise<Scored> {
    return (await this.ask((id) => ({ type: "run", id, ...batch }))) as Scored;
  }

  /** Embeds one batch. */
  async embed(batch: Omit<EmbedRequest, "type" | "id">): Promise<Embedded> {
    return (await this.ask((id) => ({ type: "embed", id, ...batch }))) as Embedded;
  }

  /** Has the profile written whole. */
  async endProfile(): Promise<void> {
    await this.ask((id) => ({ type: "profile", id }));
  }

  /** Ends the process; what still waits is rejected. */
  async close(): Promise<void> {
    if (this.child.connected) this.child.disconnect();
    const impatience = setTimeout(() => this.kill(), 2000);
    await this.exit;
    clearTimeout(impatience);
  }

  private ask(request: (id: number) => RunRequest | EmbedRequest | ProfileRequest): Promise<Answer> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      // A send that fails means the process is gone; its `exit` event rejects everything that waits.
      this.child.send(request(id), () => undefined);
    });
  }

  /** The rest of what the dead process wrote to its standard error; a grandchild cannot hold this up for long. */
  private async lastWords(): Promise<void> {
    const { stderr } = this.child;
    if (stderr === null || stderr.readableEnded) return;
    await Promise.race([once(stderr, "end"), delay(200)]);
  }

  private kill(): void {
    this.child.kill("SIGKILL");
  }

  private firstReply(): Promise<Opened> {
    return new Promise((resolve, reject) => {
      this.waiting.set(-1, { resolve: () => undefined, reject });
      this.child.on("message", (reply: Reply) => {
        if (reply.type === "opened") {
          this.waiting.delete(-1);
          resolve(reply);
        } else this.receive(reply);
      });
    });
  }

  private receive(reply: Exclude<Reply, Opened>): void {
    const id = reply.id ?? -1;
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (reply.type !== "failed") waiting?.resolve(reply);
    else
      waiting?.reject(
        failure(
          `ONNX Runtime failed on ${this.options.modelFile} (${this.options.provider}): ${reply.message.split("\n")[0]}.`,
          [],
        ),
      );
    if (id === -1) this.kill(); // nothing was opened, so nothing is left to do
  }

  private end(error: RerankTuneError): void {
    this.ended ??= error;
    for (const { reject } of this.waiting.values()) reject(this.ended);
    this.waiting.clear();
  }

  private died(code: number | null, signal: NodeJS.Signals | null): RerankTuneError {
    if (this.options.signal?.aborted) return interrupted(this.options.signal);
    // Without the native stack that Node prints after an abort: addresses help nobody.
    const lines = this.errorOutput.split("\n").filter((line) => line.trim() !== "" && !/^\s*\d+: |^-----/.test(line));
    return failure(
      `The scoring process for ${this.options.modelFile} ended early (${signal ?? `exit code ${code}`}).`,
      lines.slice(-10),
    );
  }
}

function failure(message: string, lines: string[], cause?: unknown): RerankTuneError {
  return new RerankTuneError({
    code: "SCORER_FAILED",
    message,
    hint: "run `rerank-tune doctor` to test onnxruntime-node; if the system is short of memory, close other programs and run the same command again",
    problems: lines.map((line) => ({ message: line.slice(0, 300) })),
    cause,
  });
}
