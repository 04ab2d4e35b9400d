import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  ensurePython,
  environmentFolder,
  environmentPython,
  findReadyEnvironment,
} from "../../../src/environment/python-environment.js";
import { type ReadyStamp, STAMP_FILE } from "../../../src/environment/ready-stamp.js";
import { RerankTuneError } from "../../../src/errors.js";
import type { StageEvent } from "../../../src/events.js";
import { writeFakePython } from "../../helpers/fake-python.js";
import { folderPerTest } from "../../helpers/folder-per-test.js";

const home = folderPerTest();
const signal = new AbortController().signal;

/** A folder that looks like a finished environment. */
async function finished(minor: string, stamp: Partial<ReadyStamp> = {}): Promise<string> {
  const folder = environmentFolder(home(), minor);
  const executable = environmentPython(folder);
  await mkdir(dirname(executable), { recursive: true });
  await symlink(process.execPath, executable);
  const full = {
    schema: 1,
    python: `${minor}.1`,
    base: "/x",
    requested: null,
    torch: "2.13.0+cpu",
    built: "",
    ...stamp,
  };
  await writeFile(join(folder, STAMP_FILE), JSON.stringify(full));
  return folder;
}

/** An interpreter whose `-m venv` and pip do what the script says. */
async function fakePython(body: string): Promise<string> {
  return await writeFakePython(join(home(), "fake-python"), body);
}

async function failedBuild(body: string): Promise<{ error: RerankTuneError; events: StageEvent[] }> {
  const events: StageEvent[] = [];
  const variables = { ...process.env, RERANK_TUNE_PYTHON: await fakePython(body) };
  const error = await ensurePython({ home: home(), signal, emit: (event) => events.push(event), variables }).then(
    () => undefined,
    (failure: unknown) => failure,
  );
  expect(error).toBeInstanceOf(RerankTuneError);
  return { error: error as RerankTuneError, events };
}

describe("a ready environment", () => {
  test("is found without starting Python, in under 20 ms", async () => {
    const folder = await finished("3.12");
    await findReadyEnvironment(home(), {});
    const started = performance.now();
    const runtime = await ensurePython({ home: home(), signal, emit: () => undefined, variables: {} });
    expect(performance.now() - started).toBeLessThan(20);
    expect(runtime.executable).toBe(environmentPython(folder));
  });

  test("with the newest Python is taken, by number and not by letter", async () => {
    await finished("3.9");
    const newest = await finished("3.13");
    expect((await findReadyEnvironment(home(), {}))?.folder).toBe(newest);
  });

  test("made by another Python does not serve RERANK_TUNE_PYTHON", async () => {
    await finished("3.13");
    const mine = await finished("3.11", { requested: "/my/python" });
    expect((await findReadyEnvironment(home(), { RERANK_TUNE_PYTHON: "/my/python" }))?.folder).toBe(mine);
    expect(await findReadyEnvironment(home(), { RERANK_TUNE_PYTHON: "/another" })).toBeUndefined();
  });

  test("without its stamp never happened", async () => {
    const folder = environmentFolder(home(), "3.12");
    await mkdir(folder, { recursive: true });
    expect(await findReadyEnvironment(home(), {})).toBeUndefined();
  });

  test("whose interpreter was removed from the system never happened", async () => {
    const folder = environmentFolder(home(), "3.12");
    const executable = environmentPython(folder);
    await mkdir(dirname(executable), { recursive: true });
    await symlink("/no/such/python", executable);
    const stamp: ReadyStamp = { schema: 1, python: "3.12.1", base: "/x", requested: null, torch: "2.13.0", built: "" };
    await writeFile(join(folder, STAMP_FILE), JSON.stringify(stamp));
    expect(await findReadyEnvironment(home(), {})).toBeUndefined();
  });
});

describe("a build that fails", () => {
  test("shows the last lines of what failed and names the log", async () => {
    const { error } = await failedBuild("echo first; echo the disk is on fire >&2; exit 3");
    expect(error.code).toBe("ENVIRONMENT_BROKEN");
    expect(error.problems.map(({ message }) => message)).toContain("the disk is on fire");
    expect(error.hint).toMatch(/build\.log.*env --rebuild/);
  });

  test("for lack of space is DISK_FULL", async () => {
    const { error } = await failedBuild("echo 'OSError: [Errno 28] No space left on device' >&2; exit 1");
    expect(error.code).toBe("DISK_FULL");
  });

  test("for lack of a package says how to give one", async () => {
    const { error } = await failedBuild("echo 'ERROR: No matching distribution found for torch==2.13.0' >&2; exit 1");
    expect(error).toMatchObject({ code: "ENVIRONMENT_BROKEN", hint: expect.stringContaining("RERANK_TUNE_WHEELS") });
  });

  test("leaves no stamp, so that the next call builds again", async () => {
    await failedBuild("exit 1");
    expect(await findReadyEnvironment(home(), {})).toBeUndefined();
  });

  test("gives its lock back", async () => {
    await failedBuild("exit 1");
    const { events } = await failedBuild("exit 1");
    expect(events.filter((event) => event.type === "note" && event.message.startsWith("waiting"))).toEqual([]);
  });

  test("stops when the command is stopped", async () => {
    const controller = new AbortController();
    const variables = { ...process.env, RERANK_TUNE_PYTHON: await fakePython("sleep 30") };
    setTimeout(() => controller.abort("SIGINT"), 300);
    const started = performance.now();
    await expect(
      ensurePython({ home: home(), signal: controller.signal, emit: () => undefined, variables }),
    ).rejects.toBe("SIGINT");
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
