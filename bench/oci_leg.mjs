// R12: the OCI leg in full. Runs test/integration/oci-leg.test.ts with large files and prints its counts.
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
const args = [vitest, "run", "test/integration/oci-leg.test.ts", "--disable-console-intercept"];
const env = { ...process.env, RERANK_TUNE_OCI_LEG: "full" };
const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: ROOT, env, encoding: "utf8" });
const version = (name, ...words) => spawnSync(name, words, { encoding: "utf8" }).stdout.trim();
const machine = `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.versions.node}`;
process.stdout.write(`${machine}; ${version("docker-registry", "--version")}; ${version("skopeo", "--version")}\n`);
for (const line of stdout.split("\n")) if (line.startsWith("oci leg: ")) process.stdout.write(`${line}\n`);
process.stdout.write(status === 0 ? "passed\n" : `failed\n${stdout}\n${stderr}\n`);
process.exitCode = status ?? 1;
