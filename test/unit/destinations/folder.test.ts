import { chmod, copyFile, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { folderDestination } from "../../../src/destinations/folder/index.js";
import { openRegistry } from "../../../src/registry/index.js";
import { folderPerTest } from "../../helpers/folder-per-test.js";
import { publishModel } from "../../helpers/model-versions.js";
import { releaseContext } from "../../helpers/release-context.js";

const folder = folderPerTest();
const source = () => join(folder(), "source");
const mirror = () => join(folder(), "share", "registry");

async function prepared(reference = "model") {
  const version = await (await openRegistry(source())).frozen(reference);
  const context = releaseContext(folder());
  return { version, ...(await folderDestination.prepare(`folder:${mirror()}`, version, context)) };
}

describe("a mirror in a folder", () => {
  test("gets the version with its reports, aliases and a line of history, under the same digests", async () => {
    await publishModel(source(), { name: "model", alias: "prod", weights: {}, reports: 2 });
    await publishModel(source(), { name: "model", alias: "latest", weights: {}, reports: 2 });
    const { version, carryOut } = await prepared();
    const released = await carryOut();
    expect(released).toMatchObject({ revision: version.digest, address: mirror(), files: 4 });
    const registry = await openRegistry(mirror());
    const shown = await registry.show("model:prod");
    expect(shown).toMatchObject({ digest: version.digest, aliases: ["latest", "prod"] });
    expect(shown.reports).toHaveLength(2);
    expect(await registry.verify()).toMatchObject({ versions: 1, unused: 0, problems: [] });
    const lines = (await readFile(join(mirror(), "reflog.ndjson"), "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { alias: "latest", to: version.digest, reason: "mirror" },
      { alias: "prod", to: version.digest, reason: "mirror" },
    ]);
  });

  test("is planned without making anything, and the second time has nothing to do", async () => {
    await publishModel(source(), { name: "model", alias: "latest", weights: {} });
    const first = await prepared();
    expect(first.plan.bytes).toBeGreaterThan(0);
    expect(await readdir(folder())).not.toContain("share");
    await first.carryOut();
    const again = await prepared();
    expect(again.plan.bytes).toBe(0);
    const released = await again.carryOut();
    expect(released.bytes_sent).toBe(0);
    expect(released.use).toEqual([
      `rerank-tune registry pull ${released.version} ./model --registry ${released.address}`,
    ]);
  });

  test("shares no file with the registry it comes from", async () => {
    await publishModel(source(), { name: "model", alias: "latest", weights: {} });
    const { version, carryOut } = await prepared();
    await carryOut();
    for (const { sha256, blob } of version.files)
      expect((await stat(join(mirror(), "blobs", "sha256", sha256))).ino).not.toBe((await stat(blob)).ino);
  });

  test("takes no damaged bytes", async () => {
    await publishModel(source(), { name: "model", alias: "latest", weights: {} });
    const { version, carryOut } = await prepared();
    const { blob = "" } = version.files.find(({ path }) => path === "config.json") ?? {};
    const bytes = await readFile(blob);
    await chmod(blob, 0o644);
    await writeFile(blob, Buffer.alloc(bytes.length, 32));
    await expect(carryOut()).rejects.toMatchObject({ code: "PACKAGE_INVALID" });
    expect(await (await openRegistry(mirror())).list()).toEqual([]);
  });

  test("moves all aliases or none: one that is protected there keeps the others where they are", async () => {
    await publishModel(source(), { name: "model", alias: "prod", weights: {} });
    await publishModel(source(), { name: "model", alias: "latest", weights: {} });
    await (await prepared()).carryOut();
    const registry = await openRegistry(mirror());
    await registry.setProtection({ name: "model", alias: "prod", rule: "passed", reason: "in use" });
    const before = await registry.list();
    for (const alias of ["latest", "prod"])
      await publishModel(source(), { name: "model", alias, weights: { "onnx/model.onnx_data": 1000 } });
    await expect((await prepared()).carryOut()).rejects.toMatchObject({ code: "GATE_FAILED" });
    expect(await registry.list()).toEqual(before);
    expect(await registry.verify()).toMatchObject({ problems: [] });
  });

  test("without a path is refused", async () => {
    await publishModel(source(), { name: "model", alias: "latest", weights: {} });
    const version = await (await openRegistry(source())).frozen("model");
    await expect(folderDestination.prepare("folder:", version, releaseContext(folder()))).rejects.toMatchObject({
      code: "USAGE",
    });
  });
});

describe("a copy in the order of the guide, blobs first and index.json last", () => {
  test("stopped after any file holds the versions of before or the new ones, and is sound", async () => {
    const copy = join(folder(), "copy");
    const order = async (): Promise<string[]> => [
      ...(await readdir(join(source(), "blobs", "sha256"))).map((name) => join("blobs", "sha256", name)),
      "oci-layout",
      "reflog.ndjson",
      "index.json",
    ];
    const copyOne = async (path: string): Promise<void> => {
      const target = join(copy, path);
      await mkdir(dirname(target), { recursive: true });
      if (path.startsWith("blobs") && (await stat(target).catch(() => undefined)) !== undefined) return;
      await copyFile(join(source(), path), target);
    };
    await publishModel(source(), { name: "model", alias: "latest", weights: {} });
    for (const path of await order()) await copyOne(path);
    const { digest } = await (await openRegistry(copy)).show("model");
    const next = await publishModel(source(), {
      name: "model",
      alias: "latest",
      weights: { "onnx/model.onnx_data": 1000 },
    });
    const seen = new Set<string>();
    for (const path of await order()) {
      await copyOne(path);
      const registry = await openRegistry(copy);
      expect(await registry.verify()).toMatchObject({ problems: [] });
      seen.add((await registry.show("model")).digest);
    }
    expect([...seen]).toEqual([digest, next.digest]);
  });
});
