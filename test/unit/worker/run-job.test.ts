import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { RerankTuneError } from "../../../src/errors.js";
import type { StageEvent } from "../../../src/events.js";
import { type RunJobOptions, runJob } from "../../../src/worker/run-job.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

const WORKERS = join(import.meta.dirname, "../../fixtures/workers");

async function start(worker: string, changes: Partial<RunJobOptions> = {}) {
  const recordsDir = await temporaryFolder();
  const events: StageEvent[] = [];
  const outcome = runJob({
    runtime: {
      executable: process.env.RERANK_TUNE_TEST_PYTHON ?? "python3",
      worker: join(WORKERS, `${worker}.py`),
      variables: {},
    },
    job: { v: 1, id: "t", kind: "describe", out_dir: recordsDir, inputs: {}, options: {} },
    recordsDir,
    signal: new AbortController().signal,
    emit: (event) => events.push(event),
    ...changes,
  });
  return { outcome, events, recordsDir };
}

async function failureOf(worker: string, changes: Partial<RunJobOptions> = {}): Promise<RerankTuneError> {
  const { outcome } = await start(worker, changes);
  return await outcome.then(
    () => expect.unreachable("the job should fail"),
    (error: unknown) => (error instanceof RerankTuneError ? error : expect.unreachable(String(error))),
  );
}

describe("a worker that behaves", () => {
  test("gives its outputs and its events", async () => {
    const { outcome, events, recordsDir } = await start("happy");
    expect((await outcome).outputs).toEqual({ answer: 42 });
    expect(events.map(({ type }) => type)).toEqual(["phase", "progress", "metric"]);
    expect(readFileSync(join(recordsDir, "worker.log"), "utf8")).toBe("free text\n");
  });

  test("may take long over one step as long as it lives", async () => {
    const { outcome, events } = await start("slow", { silenceSeconds: 2 });
    expect((await outcome).outputs).toEqual({ answer: 42 });
    expect(events).toEqual([{ type: "phase", name: "work" }]);
  });

  test("that lives without progress is told of, with its phase and its log, and goes on", async () => {
    const { outcome, events, recordsDir } = await start("slow", { standstillSeconds: 1 });
    expect((await outcome).outputs).toEqual({ answer: 42 });
    const [, warning, ...others] = events;
    expect(warning).toMatchObject({ type: "warning", message: expect.stringContaining("in the phase work") });
    expect(JSON.stringify(warning)).toContain(join(recordsDir, "worker.log"));
    expect(others).toEqual([]);
  });

  test("may know more events than we do", async () => {
    const { outcome, events } = await start("unknown_event");
    await outcome;
    expect(events).toMatchObject([{ type: "warning", message: expect.stringContaining("weather") }]);
  });

  test("reports errors that keep their code and hint", async () => {
    expect(await failureOf("reports_error")).toMatchObject({
      code: "TRAINING_COLLAPSED",
      hint: "lower train.learning_rate",
      exitCode: 3,
    });
  });
});

describe("a worker that misbehaves", () => {
  test.each([
    ["noisy_stdout", "WORKER_PROTOCOL", "Downloading model"],
    ["bad_json", "WORKER_PROTOCOL", "pro"],
    ["bad_event", "WORKER_PROTOCOL", "many"],
    ["two_terminals", "WORKER_PROTOCOL", "done"],
    ["wrong_version", "WORKER_VERSION_MISMATCH", "protocol 2"],
    ["no_terminal", "WORKER_CRASHED", "exit code 0"],
    ["done_then_fails", "WORKER_CRASHED", "exit code 1"],
    ["out_of_memory", "WORKER_OUT_OF_MEMORY", "SIGKILL"],
    ["rank_killed", "WORKER_OUT_OF_MEMORY", "exit code 1"],
  ])("%s ends as %s", async (worker, code, words) => {
    const error = await failureOf(worker);
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    expect(error.hint).not.toBe("");
  });

  test("that crashes before its greeting shows its last words", async () => {
    const error = await failureOf("crash_before_hello");
    expect(error.code).toBe("WORKER_CRASHED");
    expect(error.problems.map(({ message }) => message).join("\n")).toContain("No module named torch");
  });

  test("that never greets is stopped", async () => {
    expect(await failureOf("silent", { helloSeconds: 0.5 })).toMatchObject({ code: "WORKER_PROTOCOL" });
  });

  test("that freezes after its greeting is stopped", async () => {
    const error = await failureOf("frozen", { silenceSeconds: 1 });
    expect(error).toMatchObject({ code: "WORKER_SILENT", exitCode: 5 });
    expect(error.hint).toContain("worker.log");
  });

  test("that hangs at its end is stopped, and keeps its last word", async () => {
    expect(await failureOf("hangs_at_end", { silenceSeconds: 1 })).toMatchObject({ code: "DISK_FULL" });
  });

  test("a Python that does not start is a crash, not an unhandled error", async () => {
    const runtime = { executable: "/nonexistent/python", worker: "x.py", variables: {} };
    expect((await failureOf("happy", { runtime })).code).toBe("WORKER_CRASHED");
  });
});

describe("cancelling", () => {
  async function cancelled(worker: string, reason: string): Promise<{ error: RerankTuneError; seconds: number }> {
    const controller = new AbortController();
    const started = performance.now();
    const emit = (event: StageEvent) => event.type === "phase" && controller.abort(reason);
    const error = await failureOf(worker, { signal: controller.signal, emit, graceSeconds: 0.5 });
    return { error, seconds: (performance.now() - started) / 1000 };
  }

  test("asks the worker to stop", async () => {
    expect((await cancelled("obeys_cancel", "SIGINT")).error).toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
  });

  test("kills a worker that does not listen after the grace time", async () => {
    const { error, seconds } = await cancelled("ignores_cancel", "SIGTERM");
    expect(error).toMatchObject({ code: "TERMINATED", exitCode: 143 });
    expect(seconds).toBeLessThan(10);
  });
});
