// The registry as it grows, and with a package of 2.3 GB: seconds of list, show, verify and collect at 1k, 3k and 10k blobs; publish against sha256sum and cp.
//
// run: npm run bench -- registry [--blobs 1000,3000,10000] [--gigabytes 2.3, 0 for none] [--rounds 3]
// Needs `npm run build`, sha256sum, cp, and five times the gigabytes in the folder for temporary files (TMPDIR); everything is removed after.
// Reading commands are processes of their own, start-up left out of the exponent, which is the slope of
// log(processor seconds) over log(blobs): 1 is linear. Processor seconds do not count what other programs do beside it.
// The package is random bytes in files of the sizes that a large reranker has, written twice: writable (copied) and frozen (linked).
import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { openRegistry } from "../dist/registry/index.js";
import { machineRecord } from "../dist/stages/verify/machine.js";

const { values } = parseArgs({
  options: {
    blobs: { type: "string", default: "1000,3000,10000" },
    gigabytes: { type: "string", default: "2.3" },
    rounds: { type: "string", default: "3" },
    child: { type: "string" },
  },
});
const CLI = join(import.meta.dirname, "..", "dist", "cli.js");
const PEAK =
  "import{writeFileSync as w}from'node:fs';process.on('exit',()=>w(process.env.PEAK_FILE,JSON.stringify(process.resourceUsage())))";
const FILES_A_VERSION = 98;
const DAY_MS = 86_400_000;
const config = { descriptor: {}, config: {} };

if (values.child !== undefined) await publishPackage(JSON.parse(values.child));
else await main();

async function main() {
  const folder = mkdtempSync(join(tmpdir(), "registry-bench-"));
  try {
    const { cpu, cores, node } = machineRecord(0);
    say(`${cpu}, ${cores} cores, Node ${node}`);
    await growth(folder);
    if (Number(values.gigabytes) > 0) await large(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function growth(folder) {
  const start = Math.min(...(await repeat(() => timed(folder, ["--version"]))).map(({ processor }) => processor));
  let last;
  for (const count of values.blobs.split(",").map(Number)) {
    const root = join(folder, `grown-${count}`);
    const blobs = await grow(root, count);
    const row = { blobs };
    for (const command of ["list", "show", "verify", "collect"]) {
      const argument = command === "show" ? ["m"] : command === "collect" ? ["--keep", "0", "--older-than", "0"] : [];
      const runs = await repeat(() => timed(folder, ["registry", command, ...argument, "--registry", root, "--json"]));
      row[command] = {
        seconds: median(runs.map(({ seconds }) => seconds)),
        processor: median(runs.map(({ processor }) => processor)),
        peak: Math.max(...runs.map(({ peak }) => peak)),
      };
    }
    row["collect --yes"] = await collected(folder, root);
    const cells = Object.entries(row).filter(([name]) => name !== "blobs");
    const slope = (name, processor) =>
      last === undefined
        ? ""
        : ` exponent ${(Math.log((processor - start) / (last[name].processor - start)) / Math.log(blobs / last.blobs)).toFixed(2)}`;
    for (const [name, { seconds, processor, peak }] of cells)
      say(
        `${blobs} blobs: ${name} ${seconds.toFixed(2)} s, processor ${processor.toFixed(2)} s, peak ${peak} MB${slope(name, processor)}`,
      );
    last = row;
    rmSync(root, { recursive: true });
  }
}

/** Versions of many small files; every second one is left by its alias and its files go when collected. @returns blobs there are. */
async function grow(root, count) {
  const registry = await openRegistry(root, { create: true });
  const began = performance.now();
  for (let version = 0; version < Math.ceil(count / (FILES_A_VERSION + 2)); version += 1) {
    const files = Array.from({ length: FILES_A_VERSION }, (_, at) => ({
      path: `part-${at}.json`,
      source: { content: `${version} ${at} ${"x".repeat(2000)}` },
    }));
    await registry.publishVersion({
      name: version % 2 === 0 ? "m" : "n",
      alias: "latest",
      files,
      config: { ...config, config: { version } },
    });
  }
  const blobs = readdirSync(join(root, "blobs", "sha256")).length;
  say(`${blobs} blobs: written in ${seconds(began).toFixed(1)} s`);
  return blobs;
}

/** Once: what is set aside is gone. Two days ahead, so that nothing is young. */
async function collected(folder, root) {
  const script = `import { openRegistry } from ${JSON.stringify(join(import.meta.dirname, "..", "dist", "registry", "index.js"))};
    const registry = await openRegistry(${JSON.stringify(root)});
    const { set_aside } = await registry.collect({ keep: 0, olderThanDays: 0, graceMs: 0, quarantineMs: 0, carryOut: true, now: new Date(Date.now() + ${2 * DAY_MS}) });
    process.stderr.write(String(set_aside.blobs));`;
  return await timedNode(folder, ["--input-type=module", "--eval", script]);
}

async function large(folder) {
  const total = Number(values.gigabytes) * 1e9;
  const shares = {
    "model.safetensors": 0.4,
    "onnx/model.onnx": 0.4,
    "onnx/model_quantized.onnx": 0.1,
    "onnx/model_fp16.onnx": 0.09,
    "tokenizer.json": 0.01,
  };
  const source = join(folder, "package");
  mkdirSync(join(source, "onnx"), { recursive: true });
  for (const [path, share] of Object.entries(shares)) writeRandom(join(source, path), Math.round(total * share));
  const paths = Object.keys(shares);
  for (let round = 0; round < Number(values.rounds); round += 1) {
    // Each starts with the files in memory as far as they fit, and with nothing of the one before left to write.
    await settle(paths.map((path) => join(source, path)));
    const hashing = await clock(() => execa("sha256sum", paths, { cwd: source }));
    await settle([]);
    const copying = await clock(async () => await execa("cp", ["-r", source, join(folder, "copy")]));
    const flushing = await clock(() => settle([]));
    rmSync(join(folder, "copy"), { recursive: true });
    say(
      `${values.gigabytes} GB: sha256sum ${hashing.toFixed(1)} s + cp ${copying.toFixed(1)} s = ${(hashing + copying).toFixed(1)} s; cp is on the disk ${flushing.toFixed(1)} s later`,
    );
    for (const frozen of [false, true]) {
      for (const path of paths) await chmod(join(source, path), frozen ? 0o444 : 0o644);
      const root = join(folder, "large");
      const first = await published(folder, { root, source, paths, known: false });
      const ratio = (first.seconds / (hashing + copying)).toFixed(2);
      say(
        `  publish ${frozen ? "frozen  " : "writable"} ${first.seconds.toFixed(1)} s, ${ratio} times, peak ${first.peak} MB`,
      );
      const again = await published(folder, { root, source, paths, known: true });
      say(`  again, digests known ${again.seconds.toFixed(2)} s, peak ${again.peak} MB`);
      rmSync(root, { recursive: true });
      await settle([]);
    }
  }
}

/** In a process of its own, for its memory; its seconds are those of the call, without the start. */
async function published(folder, request) {
  const { peak, output } = await timedNode(folder, [import.meta.filename, "--child", JSON.stringify(request)]);
  return { seconds: Number(output), peak };
}

/** @param request.known whether the files' digests are told, as the manifest of a package does. */
async function publishPackage({ root, source, paths, known }) {
  const registry = await openRegistry(root, { create: true });
  const digests = known ? (await registry.show("large")).files : [];
  const files = paths.map((path) => ({
    path,
    source: join(source, path),
    sha256: digests.find((file) => file.path === path)?.sha256,
  }));
  const began = performance.now();
  await registry.publishVersion({ name: "large", alias: "latest", files, config });
  process.stderr.write(String(seconds(began)));
}

function writeRandom(path, bytes) {
  const file = openSync(path, "w");
  for (let left = bytes; left > 0; left -= 1 << 24) writeSync(file, randomBytes(Math.min(left, 1 << 24)));
  fsyncSync(file);
  closeSync(file);
}

/** Writes out what is pending, and reads the files once. */
async function settle(files) {
  await execa("sync");
  if (files.length > 0) await execa("cat", files, { stdout: "ignore" });
}

async function timed(folder, args) {
  return await timedNode(folder, [CLI, ...args]);
}

async function timedNode(folder, args) {
  const peakFile = join(folder, "peak");
  writeFileSync(join(folder, "peak.mjs"), PEAK);
  const began = performance.now();
  const { stderr } = await execa(process.execPath, ["--import", join(folder, "peak.mjs"), ...args], {
    env: { PEAK_FILE: peakFile },
  });
  const wall = seconds(began);
  const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(readFileSync(peakFile, "utf8"));
  return {
    seconds: wall,
    processor: (userCPUTime + systemCPUTime) / 1e6,
    peak: Math.round(maxRSS / 1024),
    output: stderr,
  };
}

async function repeat(work) {
  const results = [];
  for (let round = 0; round < Number(values.rounds); round += 1) results.push(await work(round));
  return results;
}

async function clock(work) {
  const began = performance.now();
  await work();
  return seconds(began);
}

function median(numbers) {
  return numbers.sort((left, right) => left - right)[Math.floor(numbers.length / 2)];
}

function seconds(began) {
  return (performance.now() - began) / 1000;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
