// The set-up of a bare clone, with nothing but Node: npm packages, build, then one verb. Plain JavaScript, because it runs before the build.
// verbs: quickstart, test, bench, generate, build. All set-up output goes to stderr; stdout belongs to the verb.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const RECORDS = join(ROOT, "node_modules", ".cache", "rerank-tune");
const OLDEST_NODE = [20, 19];

const GENERATING_TESTS = [
  "test/unit/errors.test.ts",
  "test/unit/lint/reference.test.ts",
  "test/unit/recipe/json-schema.test.ts",
];

/** What a verb runs after set-up. */
const VERBS = {
  quickstart: (args) => [join(ROOT, "dist", "cli.js"), "quickstart", ...args],
  test: (args) => [join(ROOT, "test", "run-all.mjs"), ...args],
  bench: (args) => [join(ROOT, "bench", "run.mjs"), ...args],
  // Generated files are file snapshots of their drift tests.
  generate: (args) => [
    join(ROOT, "node_modules", "vitest", "vitest.mjs"),
    "run",
    "--root",
    ROOT,
    ...(args.length > 0 ? args : GENERATING_TESTS),
    "--update",
  ],
  build: () => undefined,
};

process.exitCode = await main(process.argv.slice(2));

async function main([verb, ...args]) {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]))
    return fail(
      "PLATFORM_UNSUPPORTED",
      `Node ${process.versions.node} is too old; ${OLDEST_NODE.join(".")} is the oldest`,
      "install Node 22 from https://nodejs.org, then run the same command again",
      4,
    );
  if (!(verb in VERBS))
    return fail(
      "USAGE",
      `"${verb ?? ""}" is none of ${Object.keys(VERBS).join(", ")}`,
      "run `npm run quickstart`, or `npm test`",
      2,
    );
  if (!installPackages())
    return fail(
      "ENVIRONMENT_BROKEN",
      "the npm packages could not be installed",
      "check the network and `npm config get registry`, then run the same command again",
      4,
    );
  if (!build())
    return fail(
      "ENVIRONMENT_BROKEN",
      "the build failed; see the lines above",
      "run `npm ci`, then the same command again",
      1,
    );
  const command = VERBS[verb](args);
  return command === undefined ? 0 : await run(command);
}

/** `npm ci` unless node_modules already is what the lock says; scripts stay off, because onnxruntime-node's downloads CUDA files. */
function installPackages() {
  if (inStep()) return true;
  say("installing npm packages");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const options = { cwd: ROOT, stdio: ["ignore", 2, 2], shell: process.platform === "win32" };
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  return spawnSync(npm, args, options).status === 0;
}

/** npm writes down what it installed; packages of other platforms are missing there. */
function inStep() {
  const wanted = packagesOf(join(ROOT, "package-lock.json"));
  const installed = packagesOf(join(ROOT, "node_modules", ".package-lock.json"));
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    const found = installed[path];
    return path === "" || (found === undefined ? optional === true : found.version === version);
  });
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return {}; // nothing installed yet
  }
}

/** Compiles into a folder beside and swaps it in, so that a running process never sees half a build. */
function build() {
  const digest = sha256([
    readFileSync(join(ROOT, "tsconfig.json")),
    readFileSync(join(ROOT, "package-lock.json")),
    ...sources(),
  ]);
  const dist = join(ROOT, "dist");
  if (recorded("build") === digest && existsSync(join(dist, "cli.js"))) return true;
  say("building");
  const fresh = join(RECORDS, `dist-${process.pid}`);
  const compiler = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const compiled = spawnSync(process.execPath, [compiler, "-p", join(ROOT, "tsconfig.json"), "--outDir", fresh], {
    cwd: ROOT,
    stdio: ["ignore", 2, 2],
  });
  if (compiled.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    return false;
  }
  chmodSync(join(fresh, "cli.js"), 0o755);
  rmSync(dist, { recursive: true, force: true });
  renameSync(fresh, dist);
  record("build", digest);
  return true;
}

function sources() {
  const folder = join(ROOT, "src");
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort();
  return names.flatMap((name) => [name, readFileSync(join(folder, name))]);
}

/** Runs Node on a script with our streams; signals reach it, its exit code is ours. */
async function run(command) {
  const child = spawn(process.execPath, command, { stdio: "inherit", cwd: process.cwd() });
  // A terminal sends Ctrl-C to the whole group, so the child has it already; a plain kill reaches us alone.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  const [code, signal] = await new Promise((done, broken) =>
    child.on("error", broken).on("exit", (...end) => done(end)),
  );
  return signal === null ? code : 128 + constants.signals[signal];
}

function sha256(parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

function recorded(name) {
  try {
    return readFileSync(join(RECORDS, name), "utf8");
  } catch {
    return undefined; // never done
  }
}

function record(name, digest) {
  mkdirSync(RECORDS, { recursive: true });
  writeFileSync(join(RECORDS, name), digest);
}

function say(text) {
  process.stderr.write(`rerank-tune: ${text}\n`);
}

/** Errors look like those of the tool; a machine reader gets its one document. */
function fail(code, message, hint, exitCode) {
  if (process.argv.includes("--json"))
    process.stdout.write(`${JSON.stringify({ ok: false, error: { code, message, hint, problems: [] } })}\n`);
  else process.stderr.write(`error[${code}]: ${message}\n\nhint: ${hint}\n`);
  return exitCode;
}
