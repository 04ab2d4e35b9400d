import { access, chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  findOnnxRuntime,
  loadOnnxRuntime,
  onnxRuntimeEntry,
  onnxRuntimeVersion,
} from "../../../src/environment/onnxruntime.js";
import { folderPerTest } from "../../helpers/folder-per-test.js";

const folder = folderPerTest();
const path = process.env.PATH;

/** A place from where nothing is installed. */
const elsewhere = () => join(folder(), "index.js");
const home = () => join(folder(), "home");

async function install(at: string, version: string): Promise<string> {
  const place = join(at, "node_modules", "onnxruntime-node");
  await mkdir(place, { recursive: true });
  await writeFile(join(place, "package.json"), JSON.stringify({ name: "onnxruntime-node", version, main: "main.js" }));
  await writeFile(join(place, "main.js"), "module.exports = { fake: true };");
  return join(place, "main.js");
}

/** An npm that writes its arguments down and does what the script says. */
async function fakeNpm(body: string): Promise<void> {
  const bin = join(folder(), "bin");
  await mkdir(bin, { recursive: true });
  const log = join(folder(), "npm.log");
  await writeFile(join(bin, "npm"), `#!/bin/sh\necho "$*" "skip=$ONNXRUNTIME_NODE_INSTALL" >> ${log}\n${body}\n`);
  await chmod(join(bin, "npm"), 0o755);
  process.env.PATH = `${bin}:${path}`;
}

/** What `npm install --prefix .` would leave behind. */
const INSTALLS = `mkdir -p node_modules/onnxruntime-node
echo '{"name":"onnxruntime-node","version":"${onnxRuntimeVersion()}","main":"main.js"}' > node_modules/onnxruntime-node/package.json
echo 'module.exports = {}' > node_modules/onnxruntime-node/main.js`;

beforeEach(async () => {
  await mkdir(home(), { recursive: true });
});
afterEach(() => {
  process.env.PATH = path;
});

describe("onnxruntime-node", () => {
  test("is taken from our own node_modules", async () => {
    const entry = await install(folder(), onnxRuntimeVersion());
    expect(findOnnxRuntime({ from: elsewhere(), home: home() })).toBe(entry);
  });

  test("of another version beside us is passed over", async () => {
    await install(folder(), "1.20.0");
    expect(findOnnxRuntime({ from: elsewhere(), home: home() })).toBeUndefined();
  });

  test("is fetched into the cache without install scripts", async () => {
    await fakeNpm(INSTALLS);
    const entry = await onnxRuntimeEntry({ from: elsewhere(), home: home() });
    expect(entry.startsWith(join(home(), "node", `onnxruntime-node-${onnxRuntimeVersion()}`))).toBe(true);
    const call = await readFile(join(folder(), "npm.log"), "utf8");
    expect(call).toMatch(/--ignore-scripts.* onnxruntime-node@\d+\.\d+\.\d+ skip=skip/);
  });

  test("is fetched once", async () => {
    await fakeNpm(INSTALLS);
    await onnxRuntimeEntry({ from: elsewhere(), home: home() });
    await fakeNpm("exit 1");
    await expect(onnxRuntimeEntry({ from: elsewhere(), home: home() })).resolves.toContain("main.js");
  });

  test("that cannot be fetched is RUNTIME_MISSING with npm's words and leaves nothing behind", async () => {
    await fakeNpm("echo 'npm error ENOTFOUND registry' >&2; exit 1");
    const error = await onnxRuntimeEntry({ from: elsewhere(), home: home() }).catch((failure: unknown) => failure);
    expect(error).toMatchObject({
      code: "RUNTIME_MISSING",
      problems: [{ message: "npm error ENOTFOUND registry" }],
      hint: expect.stringContaining("npm install --ignore-scripts"),
    });
    expect(await readdir(join(home(), "node"))).toEqual([]);
  });

  test("that does not load names its folder", async () => {
    const entry = await install(folder(), onnxRuntimeVersion());
    await writeFile(entry, "throw new Error('GLIBC_2.28 not found')");
    await expect(loadOnnxRuntime({ from: elsewhere(), home: home() })).rejects.toMatchObject({
      code: "RUNTIME_MISSING",
      message: expect.stringContaining("GLIBC_2.28 not found"),
      hint: expect.stringContaining(join(folder(), "node_modules", "onnxruntime-node")),
    });
    await access(entry);
  });

  test("of the clone loads and has sessions", async () => {
    expect(typeof (await loadOnnxRuntime()).InferenceSession.create).toBe("function");
  });
});
