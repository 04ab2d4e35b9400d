// The errors of a worker that fails, dies, talks nonsense or falls silent.
import { join } from "node:path";
import { ERROR_CODES, type ErrorCode, RerankTuneError } from "../errors.js";
import { PROTOCOL_VERSION, type WorkerEvent } from "./protocol.js";

/** How a process ended, and what it left. */
export interface Ending {
  exitCode: number | undefined;
  signal: string | undefined;
  cause: unknown;
  /** Of its standard error. */
  lastLines: readonly string[];
  recordsDir: string;
}

const logOf = (recordsDir: string): string => join(recordsDir, "worker.log");

/** WORKER_CRASHED, or WORKER_OUT_OF_MEMORY where it was killed. */
export function crashed({ exitCode, signal, cause, lastLines, recordsDir }: Ending): RerankTuneError {
  // torchrun ends with 1 whatever happened, and says what on standard error.
  const rankKilled = lastLines.some((line) => /exitcode\s*: -9\b/.test(line));
  const killed = signal === "SIGKILL" || exitCode === 137 || rankKilled;
  return new RerankTuneError({
    code: killed ? "WORKER_OUT_OF_MEMORY" : "WORKER_CRASHED",
    message: `The Python worker ended without a result (${signal ?? `exit code ${exitCode ?? "none"}`}).`,
    hint: killed
      ? "if the kernel killed it for memory, lower `train.micro_batch_tokens` or `train.max_length`; then run the same command again, it resumes"
      : `read ${logOf(recordsDir)}, then run \`rerank-tune doctor\``,
    problems: lastLines.map((message) => ({ message })),
    cause,
  });
}

/** What an `error` event says; WORKER_FAILED where its code is none of ours. */
export function reported(event: Extract<WorkerEvent, { type: "error" }>, recordsDir: string): RerankTuneError {
  const code: ErrorCode = event.code in ERROR_CODES ? (event.code as ErrorCode) : "WORKER_FAILED";
  const hint = event.hint || `read ${event.traceback_file ?? logOf(recordsDir)}`;
  return new RerankTuneError({ code, message: event.message, hint });
}

export function noHello(): RerankTuneError {
  return new RerankTuneError({
    code: "WORKER_PROTOCOL",
    message: "The Python worker did not greet in time.",
    hint: "run `rerank-tune doctor` to test the Python environment",
  });
}

/** No event for `seconds`, after the greeting. */
export function silent(seconds: number, recordsDir: string): RerankTuneError {
  return new RerankTuneError({
    code: "WORKER_SILENT",
    message: `The Python worker gave no sign of life for ${seconds} seconds: it was stopped from outside, or its disk or driver hangs.`,
    hint: `read ${logOf(recordsDir)} and the log of the system; then run the same command again, training resumes`,
  });
}

/** Signs of life but no other event for `seconds`: a warning, since a long step is legal. */
export function standstill(seconds: number, phase: string | undefined, recordsDir: string): string {
  const where = phase === undefined ? "before its first phase" : `in the phase ${phase}`;
  return `the worker lives but reports no progress ${where} for ${Math.round(seconds / 60)} minutes. A large step may take so long; if it stays so, see ${logOf(recordsDir)}, and stop it with Ctrl-C`;
}

export function garbage(line: string): RerankTuneError {
  return new RerankTuneError({
    code: "WORKER_PROTOCOL",
    message: `The Python worker printed a line that is not an event: ${JSON.stringify(line.slice(0, 200))}.`,
    hint: "run `rerank-tune env --rebuild` to restore the worker's environment",
  });
}

export function versionMismatch(version: unknown): RerankTuneError {
  return new RerankTuneError({
    code: "WORKER_VERSION_MISMATCH",
    message: `The Python worker speaks protocol ${String(version)}, this program speaks ${PROTOCOL_VERSION}.`,
    hint: "install rerank-tune again, so that both halves come from one release",
  });
}
