// Python packages for tests and benches, in folders of their own beside the worker's pinned environment. Plain JavaScript: it runs before vitest.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");

/** The onnxruntime that TEI embeds. */
const OLD_RUNTIME = ["onnxruntime==1.22.0"];

/**
 * Sets up all that tests and benches need of Python.
 * @returns {NodeJS.ProcessEnv} this process's variables and RERANK_TUNE_TEST_PYTHON (interpreter), RERANK_TUNE_TEST_PACKAGES
 * (folder for PYTHONPATH), RERANK_TUNE_TEST_ORT122 (folder with the old onnxruntime alone), RERANK_TUNE_TEST_EVIDENCE (folder with
 * model-signing and the CycloneDX schemas).
 */
export function testEnvironment() {
  const environment = workerEnvironment();
  return {
    ...process.env,
    RERANK_TUNE_TEST_PYTHON: environment.python.executable,
    RERANK_TUNE_TEST_PACKAGES: packagesFolder(environment, lockLines("python/requirements-test.lock")),
    RERANK_TUNE_TEST_ORT122: packagesFolder(environment, OLD_RUNTIME),
    RERANK_TUNE_TEST_EVIDENCE: packagesFolder(environment, lockLines("python/requirements-evidence.lock")),
  };
}

/**
 * Builds the worker's environment if need be, with OpenVINO beside it.
 * @returns {{ home: string, python: { executable: string, version: string } }} what `rerank-tune env` says.
 */
export function workerEnvironment() {
  const { stdout, status } = spawnSync(
    process.execPath,
    [join(ROOT, "dist", "cli.js"), "env", "--openvino", "--json"],
    {
      stdio: ["ignore", "pipe", 2],
      encoding: "utf8",
    },
  );
  const answer = stdout === "" ? undefined : JSON.parse(stdout);
  if (status === 0) return answer.data;
  throw new Error(answer === undefined ? "`rerank-tune env` failed" : `${answer.error.message} ${answer.error.hint}`);
}

/**
 * Installs requirements into `<home>/test/<hash>-<python minor>` once, without their dependencies.
 * @param {{ home: string, python: { executable: string, version: string } }} environment
 * @param {string[]} requirements exact pins
 * @returns {string} the folder, for PYTHONPATH
 */
export function packagesFolder(environment, requirements) {
  const { home, python } = environment;
  const minor = python.version.split(".").slice(0, 2).join(".");
  const hash = createHash("sha256").update(requirements.join("\n")).digest("hex").slice(0, 12);
  const folder = join(home, "test", `${hash}-${minor}`);
  if (existsSync(folder)) return folder;
  process.stderr.write(`rerank-tune: installing ${requirements.join(" ")}\n`);
  const partial = `${folder}.${process.pid}`;
  mkdirSync(dirname(folder), { recursive: true });
  const args = [
    "-I",
    "-m",
    "pip",
    "install",
    "--quiet",
    "--no-input",
    "--no-deps",
    "--target",
    partial,
    ...requirements,
  ];
  const { status } = spawnSync(python.executable, args, { stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    rmSync(partial, { recursive: true, force: true });
    throw new Error(
      `pip could not install ${requirements.join(" ")} for Python ${minor}; the tests need Python 3.11 to 3.13 (set RERANK_TUNE_PYTHON)`,
    );
  }
  renameSync(partial, folder);
  return folder;
}

/** Requirement lines of a lock file, relative to the repository. */
export function lockLines(path) {
  const lines = readFileSync(join(ROOT, path), "utf8").split(/\r?\n/);
  return lines.filter((line) => line.trim() !== "" && !line.startsWith("#"));
}
