import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { findPython } from "../../../src/environment/find-python.js";
import type { RerankTuneError } from "../../../src/errors.js";
import { probeAnswer, writeScript } from "../../helpers/fake-python.js";
import { folderPerTest } from "../../helpers/folder-per-test.js";

const folder = folderPerTest();

/** A shell script in the place of an interpreter that answers the probe as told. */
async function fakePython(name: string, answer: Record<string, unknown>): Promise<string> {
  return await script(name, probeAnswer({ executable: `/opt/${name}`, version: [3, 12, 4], ...answer }));
}

async function script(name: string, body: string): Promise<string> {
  return await writeScript(join(folder(), name), body);
}

let variables: NodeJS.ProcessEnv;
beforeEach(() => {
  variables = { PATH: folder() };
});

const rejection = async (): Promise<RerankTuneError> =>
  (await findPython(variables).then(
    () => undefined,
    (error: unknown) => error,
  )) as RerankTuneError;

describe("the search for Python", () => {
  test("takes python3 before any other", async () => {
    await fakePython("python3", {});
    await fakePython("python3.14", { version: [3, 14, 0] });
    expect(await findPython(variables)).toEqual({
      command: "python3",
      executable: "/opt/python3",
      minor: "3.12",
      version: "3.12.4",
    });
  });

  test("goes on to a versioned name when python3 is too old", async () => {
    await fakePython("python3", { version: [3, 9, 2] });
    await fakePython("python3.11", { version: [3, 11, 7] });
    expect((await findPython(variables)).command).toBe("python3.11");
  });

  test("takes RERANK_TUNE_PYTHON alone when it is set", async () => {
    await fakePython("python3", {});
    variables.RERANK_TUNE_PYTHON = await fakePython("mine", { version: [3, 10, 0] });
    const error = await rejection();
    expect(error.code).toBe("PYTHON_NOT_FOUND");
    expect(error.problems).toEqual([
      { path: variables.RERANK_TUNE_PYTHON, message: "is Python 3.10.0; 3.11 to 3.14 are supported" },
    ]);
  });

  test("is not misled by what a sitecustomize prints before the answer", async () => {
    await script("python3", `echo 'welcome {"bits": 1}'\n${probeAnswer({ executable: "/x", version: [3, 13, 1] })}`);
    expect((await findPython(variables)).minor).toBe("3.13");
  });

  test.each([
    ["too new", { version: [3, 15, 0] }, "is Python 3.15.0; 3.11 to 3.14 are supported"],
    ["32 bit", { bits: 32 }, "is a 32-bit Python; PyTorch needs 64 bit"],
    ["PyPy", { implementation: "pypy" }, "is pypy; only CPython is supported"],
    [
      "free-threaded",
      { freethreaded: true },
      "is the free-threaded build of Python 3.12.4, which the pinned packages lack",
    ],
  ])("rejects a %s interpreter and says why", async (_, answer, reason) => {
    await fakePython("python3", answer);
    expect((await rejection()).problems[0]).toEqual({ path: "python3", message: reason });
  });

  test("says `apt install python3-venv` for a Python without ensurepip", async () => {
    await fakePython("python3", { missing: ["ensurepip"] });
    const error = await rejection();
    expect(error.message).toBe("python3 is Python 3.12.4 without ensurepip, so no environment can be made with it.");
    expect(error.hint).toContain("apt install python3-venv");
  });

  test("lists every candidate when there is none", async () => {
    await script("python", "echo broken >&2; exit 9");
    const { problems } = await rejection();
    expect(problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      "python3: not installed",
      "python: could not be started (broken)",
      "python3.14: not installed",
      "python3.13: not installed",
      "python3.12: not installed",
      "python3.11: not installed",
    ]);
  });

  test("finds the Python that these tests were set up with", async () => {
    const found = await findPython(process.env);
    expect(found.version.startsWith(`${found.minor}.`)).toBe(true);
  });
});
