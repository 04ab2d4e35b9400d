// Real processes publishing into one registry: at once, killed in the middle, and after one that left its lock behind.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRegistry } from "../../src/registry/index.js";
import { compileSource } from "../helpers/compiled-source.js";
import { temporaryFolder } from "../helpers/temporary-folder.js";

let source: Awaited<ReturnType<typeof compileSource>>;
let publisher: string;

beforeAll(async () => {
  source = await compileSource();
  publisher = join(source.folder, "publisher.mjs");
  const script = `
    import { openRegistry } from "./registry/index.js";
    const [dir, name, count, bytes] = process.argv.slice(2);
    const registry = await openRegistry(dir, { create: true });
    for (let index = 0; index < Number(count); index += 1) {
      const content = (name + index).padEnd(Number(bytes), ".");
      const files = [{ path: "config.json", source: { content: "{}" } }, { path: "onnx/model.onnx", source: { content } }];
      await registry.publishVersion({ name: "shared", alias: "latest", files, config: { descriptor: {}, config: {} } });
      await registry.publishVersion({ name, alias: "latest", files, config: { descriptor: {}, config: {} } });
    }`;
  await writeFile(publisher, script);
});
afterAll(() => source.remove());

function start(root: string, name: string, count: number, bytes = 1000) {
  return spawn(process.execPath, [publisher, root, name, String(count), String(bytes)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

async function ended(child: ReturnType<typeof start>): Promise<number | null> {
  const [code] = (await once(child, "exit")) as [number | null];
  return code;
}

describe("processes publishing at once", () => {
  test.each([2, 8])("%i of them lose nothing", async (processes) => {
    const root = join(await temporaryFolder(), "registry");
    const names = Array.from({ length: processes }, (_, index) => `p${index}`);
    const codes = await Promise.all(names.map((name) => ended(start(root, name, 5))));
    expect(codes).toEqual(names.map(() => 0));
    const registry = await openRegistry(root);
    const counts = Object.fromEntries((await registry.list()).map(({ name, versions }) => [name, versions.length]));
    expect(counts).toEqual({ ...Object.fromEntries(names.map((name) => [name, 5])), shared: 5 * processes });
    expect(await registry.verify()).toMatchObject({ versions: 10 * processes, unused: 0, problems: [] });
  });

  test("a reader beside them never sees a part", async () => {
    const root = join(await temporaryFolder(), "registry");
    const registry = await openRegistry(root, { create: true });
    const child = start(root, "writer", 10);
    const exit = ended(child);
    let seen = 0;
    while (child.exitCode === null) {
      const shared = (await registry.list()).find(({ name }) => name === "shared")?.versions.length ?? 0;
      expect(shared).toBeGreaterThanOrEqual(seen);
      seen = shared;
      await sleep(2);
    }
    expect(await exit).toBe(0);
    expect(await registry.verify()).toMatchObject({ versions: 20, problems: [] });
  });
});

describe("a publisher that was killed", () => {
  test("at any moment leaves a sound registry that the next one fills", async () => {
    const root = join(await temporaryFolder(), "registry");
    await openRegistry(root, { create: true });
    for (let round = 0; round < 12; round += 1) {
      const child = start(root, `round${round}`, 40, 200_000);
      const exit = ended(child);
      await sleep(90 + round * 25);
      child.kill("SIGKILL");
      await exit;
      expect(await (await openRegistry(root)).verify(), `round ${round}`).toMatchObject({ problems: [] });
    }
    expect(await ended(start(root, "last", 1))).toBe(0);
    const registry = await openRegistry(root);
    expect((await registry.show("last")).aliases).toEqual(["latest"]);
    expect(await registry.verify()).toMatchObject({ problems: [] });
  });

  test("does not keep others out by its lock", async () => {
    const root = join(await temporaryFolder(), "registry");
    const dead = spawn(process.execPath, ["-e", ""]);
    await once(dead, "exit");
    await mkdir(root);
    await writeFile(join(root, ".lock"), JSON.stringify({ pid: dead.pid, host: hostname() }));
    expect(await ended(start(root, "next", 1))).toBe(0);
  });
});
