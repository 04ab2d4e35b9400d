// What comes from elsewhere is not trusted: manifests with paths that leave the folder, links, clashes, and very many files.
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { canonicalJson, hashText } from "../../../src/artifacts/hash.js";
import { openRegistry, type PublishRequest, type Registry } from "../../../src/registry/index.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

const PATH = "org.cncf.model.filepath";
const HOSTILE = {
  "one folder up": "../config.json",
  "up from within": "onnx/../../config.json",
  absolute: "/etc/passwd",
  empty: "",
  "a folder itself": ".",
  "a trailing slash": "config.json/",
  "two slashes": "onnx//config.json",
  "a NUL": "config.json\0.txt",
  "a line end": "config\n.json",
  "a backslash": "..\\config.json",
  "a drive": "C:/config.json",
  "a stream of Windows": "config.json:hidden",
};

function request(files: PublishRequest["files"]): PublishRequest {
  return { name: "reranker", alias: "latest", files, config: { descriptor: {}, config: {} } };
}

async function published(): Promise<{ registry: Registry; digest: string }> {
  const registry = await openRegistry(join(await temporaryFolder(), "registry"), { create: true });
  const files = ["config.json", "README.md"].map((path) => ({ path, source: { content: `{"${path}":1}` } }));
  return { registry, digest: (await registry.publishVersion(request(files))).digest };
}

/** Puts a changed manifest in place of the one of a version, with all digests right, as a hostile registry would. */
async function plant(registry: Registry, digest: string, change: (manifest: Manifest) => void): Promise<void> {
  const blobs = join(registry.root, "blobs", "sha256");
  const manifest = JSON.parse(await readFile(join(blobs, digest.slice(7)), "utf8")) as Manifest;
  change(manifest);
  const text = canonicalJson(manifest);
  await writeFile(join(blobs, hashText(text)), text);
  const index = join(registry.root, "index.json");
  await writeFile(index, (await readFile(index, "utf8")).replaceAll(digest, `sha256:${hashText(text)}`));
}

/** Changes the first layer of a manifest, or adds a changed copy of it. */
function changeLayer({ layers }: Manifest, change: Partial<Layer>, add = false): void {
  const [first] = layers;
  if (first === undefined) throw new Error("the manifest has no layer");
  layers.splice(0, add ? 0 : 1, { ...first, ...change });
}

interface Manifest {
  layers: Layer[];
}

interface Layer {
  digest: string;
  annotations?: Record<string, string>;
}

describe("a hostile manifest", () => {
  test.each(Object.entries(HOSTILE))("with a path that is %s is refused before any write", async (_, path) => {
    const { registry, digest } = await published();
    await plant(registry, digest, (manifest) => changeLayer(manifest, { annotations: { [PATH]: path } }));
    const parent = await temporaryFolder();
    await expect(registry.pull("reranker", join(parent, "model"))).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
    expect(await readdir(parent)).toEqual([]);
  });

  test.each([
    ["the same path twice", "config.json"],
    ["another case of a path", "CONFIG.json"],
    ["a path that is another's folder", "CONFIG.json/inner"],
  ])("with %s is refused, and no folder appears", async (_, path) => {
    const { registry, digest } = await published();
    await plant(registry, digest, (manifest) => changeLayer(manifest, { annotations: { [PATH]: path } }, true));
    const parent = await temporaryFolder();
    await expect(registry.pull("reranker", join(parent, "model"))).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
    expect(await readdir(parent)).toEqual([]);
  });

  test("that lacks the path of a file is refused", async () => {
    const { registry, digest } = await published();
    await plant(registry, digest, ({ layers }) => void delete layers[0]?.annotations);
    const target = join(await temporaryFolder(), "model");
    await expect(registry.pull("reranker", target)).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
  });

  test("cannot name a blob outside the store", async () => {
    const { registry, digest } = await published();
    await plant(registry, digest, (manifest) => changeLayer(manifest, { digest: "sha256:../../index" }));
    const target = join(await temporaryFolder(), "model");
    await expect(registry.pull("reranker", target)).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
  });
});

describe("pulling into a hostile place", () => {
  test("does not write through a link that is the target", async () => {
    const { registry } = await published();
    const parent = await temporaryFolder();
    const outside = await temporaryFolder();
    await symlink(outside, join(parent, "model"));
    await registry.pull("reranker", join(parent, "model")).catch(() => undefined);
    expect(await readdir(outside)).toEqual([]);
  });
});

describe("publishing", () => {
  test.each(Object.entries(HOSTILE))("refuses a path that is %s", async (_, path) => {
    const { registry } = await published();
    const before = await registry.list();
    await expect(registry.publishVersion(request([{ path, source: { content: "x" } }]))).rejects.toMatchObject({
      code: "PACKAGE_INVALID",
    });
    expect(await registry.list()).toEqual(before);
  });

  test("refuses names that differ in case alone", async () => {
    const { registry } = await published();
    const files = ["README.md", "readme.md"].map((path) => ({ path, source: { content: path } }));
    await expect(registry.publishVersion(request(files))).rejects.toMatchObject({ code: "PACKAGE_INVALID" });
  });

  test("takes a folder in a file's place for what it is", async () => {
    const { registry } = await published();
    const source = join(await temporaryFolder(), "model.onnx");
    await mkdir(source);
    const before = await registry.list();
    await expect(registry.publishVersion(request([{ path: "model.onnx", source }]))).rejects.toThrow();
    expect(await registry.list()).toEqual(before);
  });

  test("of 1,000 files and their pull stay whole", { timeout: 120_000 }, async () => {
    const registry = await openRegistry(join(await temporaryFolder(), "registry"), { create: true });
    const files = Array.from({ length: 1000 }, (_, number) => ({
      path: `parts/${number}.json`,
      source: { content: `${number % 50}` },
    }));
    await registry.publishVersion(request(files));
    const target = join(await temporaryFolder(), "model");
    expect(await registry.pull("reranker", target)).toMatchObject({ files: 1000 });
    expect(await readdir(join(target, "parts"))).toHaveLength(1000);
  });
});
