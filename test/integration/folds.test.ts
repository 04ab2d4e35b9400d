// `folds` as a process: the built command line with a worker that scores by a rule, its streams, exit codes and Ctrl-C.
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { execa } from "execa";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { environmentFolder, environmentPython } from "../../src/environment/python-environment.js";
import { STAMP_FILE } from "../../src/environment/ready-stamp.js";
import { folderPerTest } from "../helpers/folder-per-test.js";
import { writeTinyPairs } from "../helpers/tiny-data.js";
import { writeModel } from "../unit/lint/model-files.js";

const ROOT = resolve(import.meta.dirname, "../..");
const CLI = join(ROOT, "dist", "cli.js");
const folder = folderPerTest();

/**
 * Stands where the interpreter of a ready environment stands. Its "tuned" scores are the labels, the "base" ones their opposite.
 * WORKER_WAITS names a fold in which it waits to be cancelled.
 */
const WORKER = `#!${process.execPath}
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
let seq = 0;
const send = (type, fields) =>
  process.stdout.write(JSON.stringify({ v: 1, seq: seq++, time: 0, job: "train", type, ...fields }) + "\\n");
const job = JSON.parse(readFileSync(process.argv.at(-1), "utf8"));
send("hello", { worker_version: "0", python: "3", packages: {}, device: "cpu" });
const groups = readFileSync(job.inputs.test, "utf8").split("\\n").filter(Boolean).map((line) => JSON.parse(line));
const write = (system, score) =>
  writeFileSync(
    join(job.out_dir, "scores." + system + ".test.tsv"),
    groups.flatMap(({ query_id, passages }) => passages.map(({ id, label }) => [query_id, id, score(label)].join("\\t") + "\\n")).join(""),
  );
if (process.env.WORKER_WAITS && job.out_dir.includes(process.env.WORKER_WAITS)) {
  send("phase", { name: "waiting", index: 1, count: 1 });
  process.stdin.once("data", () => process.exit(130));
} else {
  write("tuned", (label) => (process.env.WORKER_FAILS ? 1 - label : label));
  write("base", (label) => 1 - label);
  const outputs = {
    base_is_reranker: true, model_type: "bert", max_length: 64, parameters: 1, steps: 9, best_step: 6,
    dev_ndcg_at_10: { base: 0.3, best: 0.5 }, learning_rate: 1e-5, device: "cpu", precision: "fp32", ended: "finished",
    micro_batch_tokens: 4096, seeds: null, interpolation: null, calibration: null, student: null,
  };
  send("done", { outputs, metrics: {}, durations: {} });
  process.exitCode = 0;
}
`;

const cli = (args: string[], more: Record<string, string> = {}) =>
  execa(process.execPath, [CLI, ...args], {
    cwd: folder(),
    reject: false,
    extendEnv: false,
    env: { PATH: process.env.PATH, HOME: folder(), RERANK_TUNE_HOME: join(folder(), "home"), ...more },
  });

beforeAll(async () => {
  await execa(process.execPath, [join(ROOT, "src", "bootstrap.mjs"), "build"]);
}, 120_000);

beforeEach(async () => {
  const environment = environmentFolder(join(folder(), "home"), "3.11");
  const python = environmentPython(environment);
  await mkdir(dirname(python), { recursive: true });
  await writeFile(python, WORKER);
  await chmod(python, 0o755);
  const stamp = { schema: 1, python: "3.11.0", base: python, requested: null, torch: "0", built: "2026-01-01" };
  await writeFile(join(environment, STAMP_FILE), JSON.stringify(stamp));
  await writeModel(join(folder(), "base"));
  await writeTinyPairs(join(folder(), "pairs.jsonl"), 30, 3);
  await writeFile(
    join(folder(), "tiny.yaml"),
    "schema: 1\nname: tiny-ce\nbase_model: { path: base }\nprepare: { source: pairs.jsonl }\n",
  );
});

describe("folds", () => {
  test("train every fold and end with one verdict and the command for the final model", async () => {
    const { stdout, stderr, exitCode } = await cli(["folds", "tiny.yaml", "--folds", "3"]);
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toMatch(/\nverdict +take the tuned model: .* over 30 queries, each tested in one of 3 folds/);
    // 20 queries are not tested in a fold, 4 of them dev: 16 in steps of 16 are one step an epoch, so step 6 is epoch 6.
    expect(stdout).toMatch(/rerank-tune run tiny\.yaml \\\n {4}--set train\.epochs=6 \\\n/);
    expect(stderr).toContain("fold 3 of 3: tiny-ce.fold-3");
  });

  test("exit with 3 and the whole result in one JSON document when the base is to be kept", async () => {
    const { stdout, exitCode } = await cli(["folds", "tiny.yaml", "--folds", "2", "--json"], { WORKER_FAILS: "1" });
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      error: { code: "GATE_FAILED", message: expect.stringMatching(/^Keep the base/) },
      data: { recipe: "tiny-ce", verdict: { comparison: { queries: 30, mean: 0 } }, final: null },
    });
  });

  test("stopped by Ctrl-C go on with the fold that was not finished", async () => {
    const child = cli(["folds", "tiny.yaml", "--folds", "2"], { WORKER_WAITS: "fold-2" });
    child.stderr.setEncoding("utf8");
    child.stderr.on("data", (text: string) => text.includes("train: waiting") && child.kill("SIGINT"));
    const stopped = await child;
    expect([stopped.exitCode, stopped.stderr]).toEqual([130, expect.stringContaining("error[INTERRUPTED]")]);
    const again = await cli(["folds", "tiny.yaml", "--folds", "2"]);
    expect(again.exitCode).toBe(0);
    const [first, second] = again.stderr.split("fold 2 of 2");
    expect(first).toMatch(/prepare +cached[\s\S]*train +cached/);
    expect(second).toMatch(/prepare +cached[\s\S]*found the work of an interrupted run/);
  });

  test("have help that fits 80 columns", async () => {
    const { stdout, exitCode } = await cli(["folds", "--help"]);
    expect([exitCode, stdout.split("\n").filter((line) => line.length > 80)]).toEqual([0, []]);
  });
});
