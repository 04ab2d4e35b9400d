// What `registry serve` keeps in memory while it sends a 2 GB file: to one reader, to one that stops reading, to four at once.
// run: npm run build; node bench/serve_memory.mjs [GIGABYTES]   (Linux: reads /proc)
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { openRegistry } from "../dist/registry/index.js";

const bytes = Number(process.argv[2] ?? 2) * 1e9;
const home = await mkdtemp(join(tmpdir(), "rerank-tune-serve-memory-"));
const root = join(home, "registry");

/** Blocks of 1 MB that are all different; @returns sha256 */
async function writeLarge(path) {
  const hash = createHash("sha256");
  const file = createWriteStream(path);
  for (let at = 0; at < bytes; at += 1e6) {
    const block = Buffer.alloc(1e6, `${at.toString(36)}-`);
    hash.update(block);
    if (!file.write(block)) await new Promise((done) => file.once("drain", done));
  }
  await new Promise((done) => file.end(done));
  return hash.digest("hex");
}

const resident = async (pid) => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))[1]) / 1000;

async function peakDuring(pid, work) {
  let peak = await resident(pid);
  const timer = setInterval(async () => {
    peak = Math.max(peak, await resident(pid));
  }, 50);
  const result = await work();
  clearInterval(timer);
  return { peak, result };
}

async function download(url) {
  const hash = createHash("sha256");
  const { body } = await fetch(url);
  for await (const part of body) hash.update(part);
  return hash.digest("hex");
}

/** Takes one piece, then nothing for three seconds. */
async function stall(url) {
  const reader = (await fetch(url)).body.getReader();
  await reader.read();
  await new Promise((done) => setTimeout(done, 3000));
  await reader.cancel();
}

try {
  const sha256 = await writeLarge(join(home, "model.onnx"));
  const registry = await openRegistry(root, { create: true });
  const files = [{ path: "onnx/model.onnx", source: join(home, "model.onnx") }];
  await registry.publishVersion({ name: "large", alias: "latest", files, config: { descriptor: {}, config: {} } });
  await rm(join(home, "model.onnx"));
  const cli = resolve(import.meta.dirname, "../dist/cli.js");
  const server = spawn(process.execPath, [cli, "registry", "serve", "--registry", root, "--port", "0", "--json"]);
  let output = "";
  server.stdout.on("data", (part) => {
    output += part;
  });
  const endpoint = await new Promise((found) => {
    let text = "";
    server.stderr.on("data", (part) => {
      text += part;
      const address = /HF_ENDPOINT=([^)]+)\)/.exec(text);
      if (address !== null) found(address[1]);
    });
  });
  const url = `${endpoint}/local/large/resolve/main/onnx/model.onnx`;
  await (await fetch(`${endpoint}/api/models`)).text();
  const idle = await resident(server.pid);
  const started = performance.now();
  const one = await peakDuring(server.pid, () => download(url));
  const seconds = (performance.now() - started) / 1000;
  const stalled = await peakDuring(server.pid, () => stall(url));
  const four = await peakDuring(server.pid, () => Promise.all([url, url, url, url].map(download)));
  const right = [one.result, ...four.result].every((digest) => digest === sha256);
  const shown = (value) => `${value.toFixed(0)} MB`;
  console.log(
    `file            ${(bytes / 1e9).toFixed(1)} GB; one download ${seconds.toFixed(1)} s with hashing by the reader`,
  );
  console.log(`idle            ${shown(idle)}`);
  console.log(`one reader      ${shown(one.peak)} at most`);
  console.log(`a reader stops  ${shown(stalled.peak)} at most`);
  console.log(`four readers    ${shown(four.peak)} at most`);
  console.log(`bytes           ${right ? "equal in all five downloads" : "DIFFERENT"}`);
  server.kill("SIGINT");
  const code = await new Promise((done) => server.once("close", done));
  console.log(
    `after Ctrl-C    exit code ${code}, ${JSON.stringify(JSON.parse(output).data.requests)} requests counted`,
  );
  process.exitCode = right && code === 0 && four.peak - idle < 200 ? 0 : 1;
} finally {
  await rm(home, { recursive: true, force: true });
}
