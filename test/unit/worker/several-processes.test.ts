import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { joinJob } from "../../../src/worker/join-job.js";
import type { WorkerJob } from "../../../src/worker/protocol.js";
import { runJob } from "../../../src/worker/run-job.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

const WORKERS = join(import.meta.dirname, "../../fixtures/workers");
const LAUNCH = { processes: 2, nodes: 2, nodeRank: 0, rendezvous: "first:29400" };

/** Stands for a Python with torch: as torchrun it starts one rank, after noting how it was called. */
const PYTHON = `#!/bin/sh
if [ "$2" = -m ]; then
  echo "$@" > "$0.called"
  while [ "$1" != --no-python ]; do shift; done
  shift 2
fi
exec ${process.env.RERANK_TUNE_TEST_PYTHON ?? "python3"} "$@"
`;

async function place(worker: string, kind: WorkerJob["kind"] = "train") {
  const recordsDir = await temporaryFolder();
  const executable = join(recordsDir, "python");
  await writeFile(executable, PYTHON);
  await chmod(executable, 0o755);
  const job: WorkerJob = { v: 1, id: "t", kind, out_dir: recordsDir, inputs: {}, options: {} };
  const runtime = { executable, worker: join(WORKERS, `${worker}.py`), variables: {}, launch: LAUNCH };
  const called = () => readFile(`${executable}.called`, "utf8").catch(() => undefined);
  return { runtime, job, recordsDir, called, signal: new AbortController().signal };
}

describe("a job in several processes", () => {
  test("goes through torchrun and keeps where it ran among the records", async () => {
    const { called, ...options } = await place("happy");
    expect((await runJob({ ...options, emit: () => undefined })).outputs).toEqual({ answer: 42 });
    expect(await called()).toContain("--nnodes 2 --node-rank 0");
    expect(JSON.parse(await readFile(join(options.recordsDir, "launch.json"), "utf8"))).toEqual(LAUNCH);
  });

  test("is one that trains: all others are one process wherever they run", async () => {
    const { called, ...options } = await place("happy", "describe");
    await runJob({ ...options, emit: () => undefined });
    expect(await called()).toBeUndefined();
  });
});

describe("a rank that freezes", () => {
  /** As torchrun does, it runs a rank beside itself; on SIGTERM it does what is given. */
  async function frozen(onTerm: string, graceSeconds: number): Promise<{ error: unknown; rank: number }> {
    const { called: _, ...options } = await place("frozen");
    const launcher = `#!/bin/sh
trap '${onTerm}' TERM
while [ "$1" != --no-python ]; do shift; done
shift 2
${process.env.RERANK_TUNE_TEST_PYTHON ?? "python3"} "$@" &
rank=$!
echo $rank > "$0.rank"
while kill -0 $rank; do wait $rank; done
`;
    await writeFile(options.runtime.executable, launcher);
    const failing = runJob({ ...options, emit: () => undefined, silenceSeconds: 1, graceSeconds });
    const error = await failing.catch((reason: unknown) => reason);
    return { error, rank: Number(await readFile(`${options.runtime.executable}.rank`, "utf8")) };
  }

  test("is ended by its launcher, which is asked before it is killed", async () => {
    const { error, rank } = await frozen("kill -9 $rank; wait $rank; exit 1", 30);
    expect(error).toMatchObject({ code: "WORKER_SILENT" });
    expect(() => process.kill(rank, 0)).toThrow("ESRCH");
  });

  test("is given up when nothing ends it", async () => {
    const { error, rank } = await frozen("", 1);
    expect(error).toMatchObject({ code: "WORKER_SILENT" });
    process.kill(rank, "SIGKILL");
  });
});

describe("a machine that takes part", () => {
  const launch = { ...LAUNCH, nodeRank: 1 };

  test("waits for its processes and keeps their log", async () => {
    const { called, ...options } = await place("happy");
    await joinJob({ ...options, launch });
    expect(await called()).toContain("--nnodes 2 --node-rank 1");
    expect(await readFile(join(options.recordsDir, "worker.log"), "utf8")).toContain("free text");
  });

  test("says so when they fail, with their last words", async () => {
    const { called: _, ...options } = await place("crash_before_hello");
    await expect(joinJob({ ...options, launch })).rejects.toMatchObject({
      code: "WORKER_CRASHED",
      message: "Machine 1 of 2 left the training before its end (exit code 1).",
      problems: expect.arrayContaining([{ message: expect.stringContaining("No module named torch") }]),
    });
  });

  test("stops at once when it is told to", async () => {
    const { called: _, signal: __, ...options } = await place("silent");
    const controller = new AbortController();
    const joined = joinJob({ ...options, launch, signal: controller.signal });
    setTimeout(() => controller.abort("SIGINT"), 200);
    await expect(joined).rejects.toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
  });
});
