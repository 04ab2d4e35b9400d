// `npm test` after set-up: types and lint, unittest and vitest, one count over all as the last line. A skipped test is a failed run.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { testEnvironment } from "./helpers/python-packages.mjs";

const ROOT = resolve(import.meta.dirname, "..");

process.exitCode = await main(process.argv.slice(2));

async function main(args) {
  let environment;
  try {
    environment = testEnvironment();
  } catch (error) {
    process.stderr.write(`error: ${error.message}\n`);
    process.stdout.write("0 passed, 1 failed\n");
    return 4;
  }
  // Arguments choose vitest files; then everything else stays out.
  const others = args.length === 0 ? [await checks(environment), await unittest(environment)] : [];
  const counts = [...others, await vitest(environment, args)];
  const sum = (key) => counts.reduce((total, count) => total + count[key], 0);
  const [passed, failed, skipped] = [sum("passed"), sum("failed"), sum("skipped")];
  if (skipped > 0) process.stdout.write(`${skipped} skipped: every test has to run, so they count as failed\n`);
  if (passed === 0) process.stdout.write("no test ran\n");
  process.stdout.write(`${passed} passed, ${failed + skipped} failed\n`);
  return failed + skipped === 0 && passed > 0 ? 0 : 1;
}

/** vitest does not look at types, so a test could call what is not there; each of the three counts as one test. */
async function checks(env) {
  const tool = (name, ...arguments_) => [join(ROOT, "node_modules", ...name), ...arguments_];
  const commands = [
    tool(["typescript", "bin", "tsc"], "-p", "tsconfig.json", "--noEmit"),
    tool(["typescript", "bin", "tsc"], "-p", "test/tsconfig.json", "--noEmit"),
    tool(["@biomejs", "biome", "bin", "biome"], "check", "--error-on-warnings", "."),
  ];
  let passed = 0;
  for (const command of commands)
    passed += (await run(process.execPath, command, { cwd: ROOT, env })).code === 0 ? 1 : 0;
  return { passed, failed: commands.length - passed, skipped: 0 };
}

/** unittest prints to stderr: `Ran 12 tests in 3.4s`, then `OK` or `FAILED (failures=1, errors=2, skipped=3)`. */
async function unittest(env) {
  const python = env.RERANK_TUNE_TEST_PYTHON;
  // Without the test packages: the worker has to do with its own environment.
  const options = { cwd: join(ROOT, "python"), env };
  const { code, output } = await run(python, ["-m", "unittest", "discover", "-s", "tests", "-t", "."], options);
  const ran = Number(/^Ran (\d+) tests? in/m.exec(output)?.[1] ?? 0);
  const ending = /^(?:OK|FAILED|NO TESTS RAN)(?: \((.*)\))?$/m.exec(output)?.[1] ?? "";
  const count = (name) => Number(new RegExp(`${name}=(\\d+)`).exec(ending)?.[1] ?? 0);
  const skipped = count("skipped");
  const failed = count("failures") + count("errors") + count("unexpected successes");
  // A crash of the interpreter prints no ending: that is a failure too.
  return { passed: Math.max(0, ran - failed - skipped), failed: failed === 0 && code !== 0 ? 1 : failed, skipped };
}

async function vitest(env, args) {
  const folder = mkdtempSync(join(tmpdir(), "rerank-tune-vitest-"));
  const file = join(folder, "report.json");
  try {
    const bin = join(ROOT, "node_modules", "vitest", "vitest.mjs");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const { code } = await run(process.execPath, [bin, "run", ...reporters, ...args], { cwd: ROOT, env });
    return readReport(file, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(file, code) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }; // vitest itself did not get so far
  }
  // A file that cannot be imported has no tests to count; it is one failure.
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.every((test) => test.status !== "failed"),
  ).length;
  const failed = report.numFailedTests + broken;
  const skipped = report.numPendingTests + report.numTodoTests;
  return { passed: report.numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed, skipped };
}

/** Runs a child, shows its output as it comes, and keeps it. */
async function run(file, args, options) {
  const child = spawn(file, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output += chunk;
      process.stdout.write(chunk);
    });
  const code = await new Promise((done, broken) => child.on("error", broken).on("close", done));
  return { code, output };
}
