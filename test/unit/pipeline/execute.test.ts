import { appendFile, readdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { RerankTuneError } from "../../../src/errors.js";
import { type ExecuteOptions, executePipeline } from "../../../src/pipeline/execute.js";
import { planPipeline } from "../../../src/pipeline/plan.js";
import { fakeRecipe, fakeStages, VERSIONS } from "../../helpers/fake-stages.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

type Changes = Partial<ExecuteOptions> & { epochs?: number };

async function workshop(stageChanges: Parameters<typeof fakeStages>[1] = {}) {
  const folder = await temporaryFolder();
  const source = join(folder, "pairs.txt");
  await writeFile(source, "one\n");
  const runs: string[] = [];
  const base = {
    root: join(folder, "artifacts"),
    target: "export" as const,
    versions: VERSIONS,
    stages: fakeStages(runs, stageChanges),
  };
  const recipe = (epochs = 1) => fakeRecipe(source, { epochs });
  const rest = {
    python: () => Promise.reject(new Error("no Python here")),
    signal: new AbortController().signal,
    emit: () => undefined,
  };
  const run = ({ epochs, ...changes }: Changes = {}) =>
    executePipeline({ ...base, ...rest, recipe: recipe(epochs), ...changes });
  const plan = (epochs?: number) => planPipeline({ ...base, recipe: recipe(epochs) });
  const took = (): string[] => runs.splice(0);
  return { folder, source, run, plan, took, root: base.root };
}

async function failure(promise: Promise<unknown>): Promise<RerankTuneError> {
  return await promise.then(
    () => expect.unreachable("it should fail"),
    (error: unknown) => (error instanceof RerankTuneError ? error : expect.unreachable(String(error))),
  );
}

describe("reuse", () => {
  test("a second run does nothing", async () => {
    const { run, took } = await workshop();
    await run();
    expect(took()).toEqual(["prepare", "train", "export"]);
    const second = await run();
    expect(took()).toEqual([]);
    expect(second.stages.map(({ status }) => status)).toEqual(["cached", "cached", "cached"]);
  });

  test("a changed option runs its stage and what depends on it, and says why", async () => {
    const { run, took, plan } = await workshop();
    await run();
    took();
    expect((await plan(2)).stages).toMatchObject([
      { name: "prepare", status: "cached" },
      { name: "train", status: "run", reason: "train.epochs 1 → 2" },
      { name: "export", status: "run", reason: "after train" },
    ]);
    await run({ epochs: 2 });
    expect(took()).toEqual(["train", "export"]);
  });

  test("going back to earlier options finds their artifacts again", async () => {
    const { run, took } = await workshop();
    await run();
    await run({ epochs: 2 });
    took();
    await run({ epochs: 1 });
    expect(took()).toEqual([]);
  });

  test("an upstream rerun with the same result ends there", async () => {
    const { run, took, source } = await workshop();
    await run();
    took();
    await appendFile(source, "\n");
    await run();
    expect(took()).toEqual(["prepare"]);
  });

  test("a source that was moved is the same source", async () => {
    const { run, took, source, folder } = await workshop();
    await run();
    took();
    await rename(source, join(folder, "moved.txt"));
    await run({ recipe: fakeRecipe(join(folder, "moved.txt")) });
    expect(took()).toEqual([]);
  });

  test("other tools run the stages that depend on them", async () => {
    const { run, took } = await workshop();
    await run();
    took();
    const again = await run({ versions: { ...VERSIONS, python_lock: "b" } });
    expect(took()).toEqual(["train"]);
    expect(again.stages[1]?.reason).toBe("python_lock a → b");
  });

  test("a damaged artifact is noticed and made again", async () => {
    const { run, took, root } = await workshop();
    const first = await run();
    took();
    await writeFile(join(first.dirs.train ?? root, "model.txt"), "{}");
    const warnings: unknown[] = [];
    await run({ emit: (event) => event.type === "warning" && warnings.push(event.message) });
    expect(took()).toEqual(["train"]);
    expect(warnings).toEqual([expect.stringContaining("model.txt")]);
  });

  test("a touched but unchanged artifact is kept", async () => {
    const { run, took, root } = await workshop();
    const first = await run();
    took();
    await utimes(join(first.dirs.train ?? root, "model.txt"), new Date(), new Date());
    await run();
    expect(took()).toEqual([]);
  });
});

describe("failure", () => {
  test("keeps what was finished and leaves no half artifact", async () => {
    const { run, took, root } = await workshop({
      train: {
        run: () => Promise.reject(new RerankTuneError({ code: "WORKER_CRASHED", message: "gone", hint: "again" })),
      },
    });
    const error = await failure(run());
    expect(error.data).toMatchObject({
      stages: [
        { name: "prepare", status: "done" },
        { name: "train", status: "failed" },
      ],
    });
    expect(await readdir(join(root, "demo", "02-train"))).toEqual([]);
    await failure(run());
    expect(took()).toEqual(["prepare"]);
  });

  test("of a resumable stage keeps its partial folder and offers it again", async () => {
    const seen: boolean[] = [];
    const train = {
      resumable: true,
      run: async (context: { outDir: string; resuming: boolean }) => {
        seen.push(context.resuming);
        await writeFile(join(context.outDir, "model.txt"), "{}");
        if (seen.length === 1) throw new RerankTuneError({ code: "INTERRUPTED", message: "stop", hint: "again" });
        return {};
      },
    };
    const { run } = await workshop({ train });
    await failure(run());
    await run();
    expect(seen).toEqual([false, true]);
  });

  test("a full disk is named as such", async () => {
    const full = Object.assign(new Error("write"), { code: "ENOSPC" });
    const { run } = await workshop({ train: { run: () => Promise.reject(full) } });
    expect(await failure(run())).toMatchObject({ code: "DISK_FULL", exitCode: 4 });
  });

  test("a finished stage that must not pass is thrown after the others ran", async () => {
    const train = {
      failure: () => new RerankTuneError({ code: "GATE_FAILED", message: "missed by 0.1", hint: "look" }),
    };
    const { run, took } = await workshop({ train });
    expect(await failure(run())).toMatchObject({
      code: "GATE_FAILED",
      data: { stages: [{}, {}, { name: "export", status: "done" }] },
    });
    expect(took()).toEqual(["prepare", "train", "export"]);
  });

  test("missing data blocks with the path", async () => {
    const { run, source, plan } = await workshop();
    await rm(source);
    expect((await plan()).stages).toMatchObject([
      { status: "blocked", reason: expect.stringContaining(source) },
      { status: "blocked", reason: "needs prepare" },
      { status: "blocked" },
    ]);
    expect(await failure(run())).toMatchObject({ code: "DATA_NOT_FOUND", exitCode: 2 });
  });

  test("a signal stops before the next stage", async () => {
    const controller = new AbortController();
    const { run, took } = await workshop();
    const error = await failure(
      run({
        signal: controller.signal,
        emit: (event) => event.type === "stage" && event.status === "done" && controller.abort("SIGINT"),
      }),
    );
    expect(error.exitCode).toBe(130);
    expect(took()).toEqual(["prepare"]);
  });
});

describe("the folder", () => {
  test("is refused while another process works in it", async () => {
    const { run } = await workshop({ train: { run: async () => ({}) } });
    const second = await workshop();
    let inner: RerankTuneError | undefined;
    const stages = fakeStages([], {
      prepare: {
        run: async () => {
          inner = await failure(second.run({ root: shared }));
          return {};
        },
      },
    });
    const shared = join(second.folder, "shared");
    await run({ root: shared, stages });
    expect(inner).toMatchObject({ code: "FOLDER_IN_USE", exitCode: 4 });
  });

  test("left locked by a dead process is taken over", async () => {
    const { run, root, took } = await workshop();
    await run();
    await writeFile(
      join(root, "demo", ".lock"),
      JSON.stringify({ pid: 2 ** 22 + 1, host: (await import("node:os")).hostname() }),
    );
    took();
    await run();
    expect(took()).toEqual([]);
  });

  test("that is read-only is named", async () => {
    const readOnly = Object.assign(new Error("open"), { code: "EROFS" });
    const { run } = await workshop({ prepare: { run: () => Promise.reject(readOnly) } });
    expect(await failure(run())).toMatchObject({ code: "NOT_WRITABLE", exitCode: 4 });
  });
});
