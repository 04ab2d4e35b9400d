// R9 in full: 8 steps x 12 faults, once and for good, and 20 children killed in the middle; R10: 20 changes on the way. Prints the counts. run: node bench/hub_faults.mjs [> bench/results/hub_faults.txt]
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "rerank-tune-faults-"));
const file = join(folder, "counts.json");
const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
const env = { ...process.env, RERANK_TUNE_ALL_FAULTS: "1", RERANK_TUNE_COUNTS: file };
const began = performance.now();
const { status } = spawnSync(
  process.execPath,
  [
    vitest,
    "run",
    "--root",
    ROOT,
    "--reporter=dot",
    "test/reliability/hub-faults.test.ts",
    "test/integration/hub-release-refusals.test.ts",
  ],
  { env, stdio: ["ignore", 2, 2] },
);
const lines = readFileSync(file, "utf8").trim().split("\n");
const counts = Object.assign({}, ...lines.map((line) => JSON.parse(line)));
rmSync(folder, { recursive: true });
console.log("Faults on the way to a Hub (a stand-in on loopback), R9 of the test plan.");
console.log(`node bench/hub_faults.mjs; Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? "unknown"}`);
console.log(
  `${((performance.now() - began) / 1000).toFixed(0)} s, ${status === 0 ? "every expectation held" : "FAILED"}\n`,
);
for (const [name, count] of Object.entries(counts)) console.log(`${String(count).padStart(6)}  ${name}`);
process.exitCode = status ?? 1;
