// OpenVINO beside an environment: fetched once, and nothing half fetched stays. pip is a script here.
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lockedRequirements } from "../../../src/environment/lock-file.js";
import { addOpenvino } from "../../../src/environment/openvino.js";
import { OPENVINO_LOCK_FILE } from "../../../src/environment/package-root.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

/** An environment whose Python is this shell script. */
async function environment(script: string) {
  const folder = await temporaryFolder();
  const executable = join(folder, "python");
  await writeFile(executable, `#!/bin/sh\n${script}\n`);
  await chmod(executable, 0o755);
  return {
    folder,
    executable,
    variables: { PATH: process.env.PATH },
    signal: new AbortController().signal,
    emit: () => undefined,
  };
}

test("is fetched into a folder of its own, without its dependencies", async () => {
  const options = await environment('echo "$@" > "$(dirname "$0")/called"');
  await addOpenvino(options);
  const called = await readFile(join(options.folder, "called"), "utf8");
  expect(called).toContain(
    `--no-deps --target ${join(options.folder, "openvino")} --requirement ${OPENVINO_LOCK_FILE}`,
  );
});

test("is not fetched again where its version is there", async () => {
  const options = await environment("exit 1");
  const [name] = lockedRequirements(OPENVINO_LOCK_FILE);
  await mkdir(join(options.folder, "openvino", `${name?.replace("==", "-")}.dist-info`), { recursive: true });
  await addOpenvino(options);
  expect(existsSync(join(options.folder, "openvino.log"))).toBe(false);
});

test("leaves nothing behind when pip fails, and names the command to repeat", async () => {
  const options = await environment('mkdir -p "$(dirname "$0")/openvino/openvino"; echo no network; exit 1');
  await expect(addOpenvino(options)).rejects.toMatchObject({
    code: "ENVIRONMENT_BROKEN",
    hint: expect.stringContaining("rerank-tune env --openvino"),
    problems: [{ message: "no network" }],
  });
  expect(existsSync(join(options.folder, "openvino"))).toBe(false);
});
