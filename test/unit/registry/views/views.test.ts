import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hashFile, hashText, listFiles } from "../../../../src/artifacts/hash.js";
import type { Registry } from "../../../../src/registry/index.js";
import {
  type BuildOptions,
  buildView,
  checkView,
  MARKER,
  type ViewKind,
} from "../../../../src/registry/views/index.js";
import { CARD, servedRegistry } from "../../../helpers/served-registry.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";

const revision = (digest: string) => digest.slice(7, 47);
const exists = async (path: string) => (await lstat(path).catch(() => undefined)) !== undefined;

async function setUp() {
  const served = await servedRegistry();
  const folder = join(await temporaryFolder(), "view");
  const build = (kind: ViewKind, more: Partial<BuildOptions> = {}) =>
    buildView(served.registry.root, folder, { kind, models: [], all: false, org: "local", link: false, ...more });
  const check = (kind: ViewKind) => checkView(served.registry.root, folder, kind);
  return { ...served, folder, build, check };
}

const pathsOf = (differences: { path: string }[]) => differences.map(({ path }) => path).sort();
const blobOf = (registry: Registry, content: string) => join(registry.root, "blobs", "sha256", hashText(content));

describe("the view for clients of the Hub", () => {
  test("has snapshots by revision and refs without a line end", async () => {
    const { folder, build, second, int8 } = await setUp();
    const built = await build("hub");
    const model = join(folder, "models--local--reranker");
    const sha = revision(second.digest);
    expect(built).toMatchObject({ models: 2, versions: 2, files: 9, removed: [], files_linked: 0 });
    expect((await readdir(join(model, "refs"))).sort()).toEqual([sha, "latest", "main"].sort());
    for (const ref of ["main", "latest", sha]) expect(await readFile(join(model, "refs", ref), "utf8")).toBe(sha);
    expect(await readFile(join(model, "snapshots", sha, "README.md"), "utf8")).toBe(CARD);
    expect(await readFile(join(model, "snapshots", sha, "onnx/model.onnx"), "utf8")).toBe("second graph");
    const tree = JSON.parse(await readFile(join(model, "trees", `${sha}.json`), "utf8")) as {
      format_version: number;
      files: Record<string, unknown>;
    };
    // `git hash-object` of the three lines of the pointer gives the blob id
    expect(tree).toMatchObject({
      format_version: 1,
      files: { "onnx/model.onnx": { size: 12, lfs_sha256: hashText("second graph") } },
    });
    expect(Object.keys(tree.files)).toHaveLength(6);
    expect(await exists(join(folder, "models--local--reranker-int8", "snapshots", revision(int8.digest)))).toBe(true);
  });

  test("holds versions without alias when asked, and one model when named", async () => {
    const { folder, build, first, second } = await setUp();
    expect(await build("hub", { all: true })).toMatchObject({ versions: 3 });
    const only = await build("hub", { models: [first.version], org: "acme" });
    expect(only.removed.sort()).toEqual(["models--local--reranker", "models--local--reranker-int8"]);
    const model = join(folder, "models--acme--reranker");
    expect(await readdir(join(model, "snapshots"))).toEqual([revision(first.digest)]);
    expect(await readdir(join(model, "refs"))).toEqual([revision(first.digest)]);
    await build("hub", { models: ["reranker:latest"] });
    expect(await readdir(join(folder, "models--local--reranker", "snapshots"))).toEqual([revision(second.digest)]);
  });
});

describe("the view of plain folders", () => {
  test("has a folder a version and a link an alias that stays inside", async () => {
    const { folder, build, second, int8 } = await setUp();
    await build("folders");
    expect(await readlink(join(folder, "reranker", "latest"))).toBe(revision(second.digest));
    expect(await listFiles(join(folder, "reranker", revision(second.digest)))).toEqual([
      "README.md",
      "config.json",
      "odd/naïve name+100%.txt",
      "onnx/model.onnx",
      "onnx/model.onnx_data",
      "tokenizer.json",
    ]);
    // TEI loads onnx/model.onnx alone, so its int8 graph has that name in a folder of its own
    expect(await readFile(join(folder, "reranker-int8", "latest", "onnx/model.onnx"), "utf8")).toBe("int8 graph");
    expect(await readlink(join(folder, "reranker-int8", "latest"))).toBe(revision(int8.digest));
  });

  test("takes a link out before the version that it leads to", async () => {
    const { registry, folder, build, first, second } = await setUp();
    await registry.moveAlias({ reference: first.version, alias: "prod", reason: "chosen" });
    await build("folders");
    const { removed } = await build("folders", { models: ["reranker:latest"] });
    expect(removed).toEqual(["reranker-int8", "reranker/prod", `reranker/${revision(first.digest)}`]);
    expect(await readdir(join(folder, "reranker"))).toEqual([revision(second.digest), "latest"].sort());
  });

  test("follows an alias, and takes out what no alias holds", async () => {
    const { registry, folder, build, first, second } = await setUp();
    await build("folders", { models: [first.version, "reranker"] });
    await registry.publishVersion({
      name: "reranker",
      alias: "latest",
      files: [{ path: "config.json", source: { content: "{}" } }],
      config: { descriptor: {}, config: {} },
    });
    const built = await build("folders");
    expect(built.removed.sort()).toEqual([first, second].map(({ digest }) => `reranker/${revision(digest)}`).sort());
    expect(await readFile(join(folder, "reranker", "latest", "config.json"), "utf8")).toBe("{}");
  });
});

describe("making a view again", () => {
  test("writes nothing that is there and right", async () => {
    const { build } = await setUp();
    const first = await build("hub");
    expect(first.bytes_written).toBe(first.bytes);
    expect(await build("hub")).toMatchObject({ bytes_written: 0, bytes: first.bytes, removed: [] });
  });

  test("mends whatever was done to it, and check says where", async () => {
    const { folder, build, check, second } = await setUp();
    await build("hub");
    expect((await check("hub")).differences).toEqual([]);
    const model = join(folder, "models--local--reranker");
    const snapshot = join("models--local--reranker", "snapshots", revision(second.digest));
    await chmod(join(folder, snapshot, "config.json"), 0o644);
    await writeFile(join(folder, snapshot, "config.json"), '{"model_type":"evil"}');
    await rm(join(folder, snapshot, "tokenizer.json"));
    await writeFile(join(folder, snapshot, "extra.py"), "boom");
    await writeFile(join(model, "refs", "latest"), `${revision(second.digest)}\n`);
    await rm(join(model, "refs", "main"));
    await writeFile(join(model, "refs", "stray"), "x");
    expect(pathsOf((await check("hub")).differences)).toEqual(
      [
        `${snapshot}/config.json`,
        `${snapshot}/extra.py`,
        `${snapshot}/tokenizer.json`,
        "models--local--reranker/refs/latest",
        "models--local--reranker/refs/main",
        "models--local--reranker/refs/stray",
      ].sort(),
    );
    expect((await build("hub")).removed).toEqual(["models--local--reranker/refs/stray"]);
    expect((await check("hub")).differences).toEqual([]);
  });

  test("check sees that the registry went on", async () => {
    const { registry, build, check, first } = await setUp();
    await build("folders");
    await registry.publishVersion({
      name: "reranker",
      alias: "latest",
      files: [{ path: "config.json", source: { content: "{}" } }],
      config: { descriptor: {}, config: {} },
    });
    const { differences } = await check("folders");
    expect(differences.find(({ path }) => path === "reranker/latest")?.what).toMatch(/does not point to/);
    expect(first.added).toBe(true);
  });

  test("keeps files that clients of the Hub write for themselves", async () => {
    const { folder, build, check } = await setUp();
    await build("hub");
    await mkdir(join(folder, "models--local--reranker", ".no_exist", "sha"), { recursive: true });
    await mkdir(join(folder, ".locks"));
    expect((await check("hub")).differences).toEqual([]);
    expect((await build("hub")).removed).toEqual([]);
  });
});

describe("nothing in a view damages the registry", () => {
  test("a program that makes a copied file writable and writes it harms the view alone", async () => {
    const { registry, folder, build, second } = await setUp();
    await build("folders", { all: true });
    for (const file of await listFiles(join(folder, "reranker", revision(second.digest)))) {
      const path = join(folder, "reranker", revision(second.digest), file);
      await chmod(path, 0o644);
      await writeFile(path, "written through");
    }
    await rm(join(folder, "reranker-int8"), { recursive: true });
    expect((await registry.verify()).problems).toEqual([]);
  });

  test("linked files share their bytes but external data; removing them harms nothing, writing through is found", async () => {
    const { registry, folder, build, check, second } = await setUp();
    const built = await build("folders", { link: true });
    const at = (path: string) => join(folder, "reranker", revision(second.digest), path);
    expect(built.files_linked).toBe(built.files - 1);
    expect((await stat(at("onnx/model.onnx"))).ino).toBe((await stat(blobOf(registry, "second graph"))).ino);
    expect((await stat(at("onnx/model.onnx_data"))).nlink).toBe(1);
    expect((await check("folders")).differences).toEqual([]);
    await rm(join(folder, "reranker-int8"), { recursive: true });
    expect((await registry.verify()).problems).toEqual([]);
    await chmod(at("onnx/model.onnx"), 0o644);
    await writeFile(at("onnx/model.onnx"), "written through");
    await expect(registry.verify()).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
  });

  test("a view of links becomes one of copies when asked, and a damaged blob is not spread", async () => {
    const { registry, folder, build, second } = await setUp();
    await build("folders", { link: true });
    await build("folders");
    const graph = join(folder, "reranker", revision(second.digest), "onnx/model.onnx");
    expect((await stat(graph)).ino).not.toBe((await stat(blobOf(registry, "second graph"))).ino);
    await rm(folder, { recursive: true });
    await chmod(blobOf(registry, "second graph"), 0o644);
    await writeFile(blobOf(registry, "second graph"), "second grap?");
    await expect(build("folders")).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
    expect(await exists(join(folder, "reranker", revision(second.digest)))).toBe(false);
    expect((await readdir(folder)).filter((name) => name.includes("staging"))).toEqual([]);
  });

  // Reading this file of Linux at its beginning fails with EIO.
  test.skipIf(process.platform !== "linux")("a marker that cannot be read is an error of the disk", async () => {
    const { folder, build } = await setUp();
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "thesis.txt"), "mine");
    await symlink("/proc/self/mem", join(folder, MARKER));
    await expect(build("hub")).rejects.toMatchObject({ code: "EIO" });
    expect((await readdir(folder)).sort()).toEqual([MARKER, "thesis.txt"]);
  });

  test("folders in or around the registry, or with other content, are refused", async () => {
    const { registry, build } = await setUp();
    const { root } = registry;
    const options: BuildOptions = { kind: "hub", models: [], all: false, org: "local", link: false };
    const linked = join(await temporaryFolder(), "link");
    await symlink(root, linked);
    for (const target of [root, join(root, "view"), join(root, ".."), join(linked, "view")])
      await expect(buildView(root, target, options), target).rejects.toMatchObject({ code: "NOT_WRITABLE" });
    const full = await temporaryFolder();
    await writeFile(join(full, "thesis.txt"), "mine");
    await expect(buildView(root, full, options)).rejects.toMatchObject({ code: "NOT_WRITABLE" });
    expect(await readFile(join(full, "thesis.txt"), "utf8")).toBe("mine");
    await expect(build("hub", { org: "../up" })).rejects.toMatchObject({ code: "USAGE" });
    await expect(build("hub", { models: ["nobody"] })).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
  });

  test("a link planted in a view leads no write and no removal out of it", async () => {
    const { registry, folder, build, second } = await setUp();
    await build("hub");
    const outside = await temporaryFolder();
    await writeFile(join(outside, "precious"), "mine");
    const model = join(folder, "models--local--reranker");
    await rename(join(model, "snapshots"), join(folder, "elsewhere"));
    await symlink(outside, join(model, "snapshots"));
    await symlink(registry.root, join(model, "refs", "stray"));
    await build("hub");
    expect(await readdir(outside)).toEqual(["precious"]);
    expect((await lstat(join(model, "snapshots"))).isDirectory()).toBe(true);
    expect(await hashFile(join(model, "snapshots", revision(second.digest), "README.md"))).toBe(hashText(CARD));
    expect((await registry.verify()).problems).toEqual([]);
  });

  test("a marker that claims folders outside the view is not believed", async () => {
    const { folder, build } = await setUp();
    await build("hub");
    const marker = join(folder, ".rerank-tune-view.json");
    const content = JSON.parse(await readFile(marker, "utf8")) as { owned: string[] };
    for (const name of ["..", "../x", "."]) {
      await writeFile(marker, JSON.stringify({ ...content, owned: [...content.owned, name] }));
      await expect(build("hub"), name).rejects.toMatchObject({ code: "NOT_WRITABLE" });
    }
  });

  test("a view of one kind is not turned into the other", async () => {
    const { build, check } = await setUp();
    await build("hub");
    await expect(build("folders")).rejects.toMatchObject({ code: "NOT_WRITABLE" });
    await expect(check("folders")).rejects.toMatchObject({ code: "USAGE" });
  });
});
