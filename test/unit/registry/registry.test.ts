import { appendFile, chmod, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { canonicalJson, hashText } from "../../../src/artifacts/hash.js";
import { openRegistry, type PublishRequest, type Registry } from "../../../src/registry/index.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

const REPORT = "application/vnd.rerank-tune.verify-report.v1+json";

function request(content: string, more: Partial<PublishRequest> = {}): PublishRequest {
  const files = [
    { path: "config.json", source: { content: "{}" } },
    { path: "onnx/model.onnx", source: { content } },
    { path: "README.md", source: { content: "# card" } },
  ];
  return {
    name: "reranker",
    alias: "latest",
    files,
    config: { descriptor: { name: "reranker" }, config: { format: "onnx" } },
    ...more,
  };
}

async function emptyRegistry(): Promise<Registry> {
  return await openRegistry(join(await temporaryFolder(), "registry"), { create: true });
}

const blob = (registry: Registry, content: string): string => join(registry.root, "blobs", "sha256", hashText(content));

async function readJson(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
}

describe("publishing", () => {
  test("makes a layout that the OCI image specification describes", async () => {
    const registry = await emptyRegistry();
    const { digest } = await registry.publishVersion(request("weights"));
    expect(await readJson(join(registry.root, "oci-layout"))).toEqual({ imageLayoutVersion: "1.0.0" });
    const manifest = await readJson(join(registry.root, "blobs", "sha256", digest.slice(7)));
    expect(manifest).toMatchObject({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      artifactType: "application/vnd.cncf.model.manifest.v1+json",
      config: { mediaType: "application/vnd.cncf.model.config.v1+json" },
      layers: [
        { mediaType: "application/vnd.cncf.model.doc.v1.raw", annotations: { "org.cncf.model.filepath": "README.md" } },
        {
          mediaType: "application/vnd.cncf.model.weight.config.v1.raw",
          annotations: { "org.cncf.model.filepath": "config.json" },
        },
        { mediaType: "application/vnd.cncf.model.weight.v1.raw", digest: `sha256:${hashText("weights")}`, size: 7 },
      ],
    });
  });

  test("makes blobs read-only", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("weights"));
    expect((await stat(blob(registry, "weights"))).mode & 0o777).toBe(0o444);
  });

  test("the same content again adds no version, no bytes and no history", async () => {
    const registry = await emptyRegistry();
    const first = await registry.publishVersion(request("weights"));
    const index = await readFile(join(registry.root, "index.json"), "utf8");
    const again = await registry.publishVersion(request("weights"));
    expect(again).toEqual({ ...first, added: false, bytes_added: 0 });
    expect(await readFile(join(registry.root, "index.json"), "utf8")).toBe(index);
  });

  test("moves the alias and keeps the version before reachable by digest", async () => {
    const registry = await emptyRegistry();
    const first = await registry.publishVersion(request("one"));
    const second = await registry.publishVersion(request("two"));
    expect((await registry.show("reranker")).digest).toBe(second.digest);
    expect((await registry.show(first.version)).aliases).toEqual([]);
    expect((await registry.list())[0]).toMatchObject({
      aliases: { latest: second.digest },
      versions: [{ digest: first.digest }, { digest: second.digest }],
    });
  });

  test("writes each move of an alias into the history, chained", async () => {
    const registry = await emptyRegistry();
    const now = new Date("2026-01-02T03:04:05Z");
    const first = await registry.publishVersion(request("one", { now }));
    const second = await registry.publishVersion(request("two", { now, reason: "better" }));
    const lines = (await readFile(join(registry.root, "reflog.ndjson"), "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      {
        time: "2026-01-02T03:04:05.000Z",
        name: "reranker",
        alias: "latest",
        from: null,
        to: first.digest,
        previous: null,
      },
      { from: first.digest, to: second.digest, reason: "better", previous: hashText(lines[0] ?? "") },
    ]);
  });

  test("attaches reports that do not enter the model's digest", async () => {
    const registry = await emptyRegistry();
    const bare = await registry.publishVersion(request("weights"));
    const reported = await registry.publishVersion(
      request("weights", { referrers: [{ artifactType: REPORT, content: '{"p95_ms":12}' }] }),
    );
    expect(reported.digest).toBe(bare.digest);
    expect((await registry.show("reranker")).reports).toMatchObject([
      { artifact_type: REPORT, content: { p95_ms: 12 } },
    ]);
  });

  test("shows the reports of a version at that version alone", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("one", { referrers: [{ artifactType: REPORT, content: "1" }] }));
    await registry.publishVersion(request("two", { referrers: [{ artifactType: REPORT, content: "2" }] }));
    expect((await registry.show("reranker")).reports.map(({ content }) => content)).toEqual([2]);
  });

  test("refuses a file that is not what its manifest says", async () => {
    const registry = await emptyRegistry();
    const source = join(await temporaryFolder(), "model.onnx");
    await writeFile(source, "changed");
    const files = [{ path: "onnx/model.onnx", source, sha256: hashText("original") }];
    await expect(registry.publishVersion(request("", { files }))).rejects.toMatchObject({ code: "PACKAGE_INVALID" });
    expect(await registry.list()).toEqual([]);
  });

  test("copies a writable file, so that later changes do not reach the registry", async () => {
    const registry = await emptyRegistry();
    const source = join(await temporaryFolder(), "model.onnx");
    await writeFile(source, "before");
    await registry.publishVersion(request("", { files: [{ path: "onnx/model.onnx", source }] }));
    await writeFile(source, "after!");
    expect(await registry.verify()).toMatchObject({ problems: [] });
  });

  test("replaces a damaged blob by the right bytes", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("weights"));
    await chmod(blob(registry, "weights"), 0o644);
    await writeFile(blob(registry, "weights"), "weighty");
    await registry.publishVersion(request("weights"));
    expect(await registry.verify()).toMatchObject({ problems: [] });
  });

  test.each(["../out", "/etc/x"])("refuses the path %j", async (path) => {
    const registry = await emptyRegistry();
    await expect(
      registry.publishVersion(request("", { files: [{ path, source: { content: "x" } }] })),
    ).rejects.toMatchObject({ code: "PACKAGE_INVALID" });
  });

  test("waits for a live publisher only so long", async () => {
    const registry = await emptyRegistry();
    await writeFile(join(registry.root, ".lock"), JSON.stringify({ pid: process.pid, host: hostname() }));
    await expect(registry.publishVersion(request("x", { lockWaitMs: 120 }))).rejects.toMatchObject({
      code: "FOLDER_IN_USE",
    });
  });

  test("drops what a dead publisher left and ignores history that never happened", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("one"));
    const left = join(registry.root, "tmp", `999999999@${hostname()}.01234567-89ab-cdef-0123-456789abcdef`);
    await mkdir(left, { recursive: true });
    await writeFile(join(registry.root, "index.json.x.tmp"), "{");
    await appendFile(join(registry.root, "reflog.ndjson"), '{"torn":');
    await registry.publishVersion(request("two"));
    expect(await readdir(join(registry.root, "tmp"))).toEqual([]);
    expect(await readdir(registry.root)).not.toContain("index.json.x.tmp");
    expect(await registry.verify()).toMatchObject({ versions: 2, problems: [] });
  });
});

test("a registry cannot be where a file is", async () => {
  const path = join(await temporaryFolder(), "file");
  await writeFile(path, "x");
  await expect(openRegistry(path, { create: true })).rejects.toMatchObject({ code: "NOT_WRITABLE" });
});

describe("reading", () => {
  test("a folder without a registry says how to make one", async () => {
    await expect(openRegistry(join(await temporaryFolder(), "none"))).rejects.toMatchObject({
      code: "REGISTRY_NOT_FOUND",
      hint: expect.stringContaining("publish"),
    });
  });

  test("an unknown name lists the names there are", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("weights"));
    await expect(registry.show("other")).rejects.toMatchObject({
      code: "REGISTRY_NOT_FOUND",
      hint: expect.stringContaining("reranker"),
    });
  });

  test("an unknown alias lists the aliases there are", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("weights"));
    await expect(registry.show("reranker:prod")).rejects.toMatchObject({
      code: "REGISTRY_NOT_FOUND",
      hint: expect.stringContaining(":latest"),
    });
  });

  test("shows files with their digests, and the card", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("weights"));
    const shown = await registry.show("reranker");
    expect(shown.card).toBe("# card");
    expect(shown.files.at(-1)).toEqual({
      path: "onnx/model.onnx",
      bytes: 7,
      sha256: hashText("weights"),
      media_type: "application/vnd.cncf.model.weight.v1.raw",
    });
  });

  test("an index that is no index is corrupt, not empty", async () => {
    const registry = await emptyRegistry();
    await writeFile(join(registry.root, "index.json"), "");
    await expect(registry.list()).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
  });
});

describe("pulling", () => {
  test("writes the files as they were published, read-only", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("weights"));
    const target = join(await temporaryFolder(), "model");
    expect(await registry.pull("reranker", target)).toMatchObject({ folder: target, files: 3 });
    expect(await readFile(join(target, "onnx", "model.onnx"), "utf8")).toBe("weights");
    expect((await stat(join(target, "config.json"))).mode & 0o222).toBe(0);
  });

  test("refuses a folder with content", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("weights"));
    const target = await temporaryFolder();
    await writeFile(join(target, "mine.txt"), "keep");
    await expect(registry.pull("reranker", target)).rejects.toMatchObject({
      code: "NOT_WRITABLE",
      message: expect.stringContaining("mine.txt"),
    });
  });

  test("a damaged blob leaves no folder behind", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("weights"));
    await chmod(blob(registry, "weights"), 0o644);
    await writeFile(blob(registry, "weights"), "weighty");
    const parent = await temporaryFolder();
    await expect(registry.pull("reranker", join(parent, "model"))).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
    expect(await readdir(parent)).toEqual([]);
  });

  test("a manifest whose path leaves the folder writes nothing", async () => {
    const registry = await emptyRegistry();
    const { digest } = await registry.publishVersion(request("weights"));
    await plantManifest(registry, digest, (text) => text.replace('"config.json"', '"../config.json"'));
    const parent = await temporaryFolder();
    await expect(registry.pull("reranker", join(parent, "model"))).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
    expect(await readdir(parent)).toEqual([]);
  });
});

describe("verifying", () => {
  test("finds a changed byte in any blob", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("weights", { referrers: [{ artifactType: REPORT, content: "{}x" }] }));
    const folder = join(registry.root, "blobs", "sha256");
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const bytes = await readFile(path);
      await rm(path);
      await writeFile(path, Buffer.concat([Buffer.from([(bytes[0] ?? 0) ^ 1]), bytes.subarray(1)]));
      await expect(registry.verify(), name).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
      await rm(path);
      await writeFile(path, bytes, { mode: 0o444 });
    }
    expect(await registry.verify()).toMatchObject({ blobs: 7, versions: 1, unused: 0 });
  });

  test("finds a missing blob and names the version that needs it", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("weights"));
    await rm(blob(registry, "weights"));
    const problems = [{ path: expect.stringMatching(/^reranker@/) }, { path: "reranker:latest" }];
    await expect(registry.verify()).rejects.toMatchObject({ code: "REGISTRY_CORRUPT", problems });
  });

  test("finds a rewritten history", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("one"));
    await registry.publishVersion(request("two"));
    const log = join(registry.root, "reflog.ndjson");
    await writeFile(log, (await readFile(log, "utf8")).replace('"reason":"publish"', '"reason":"nothing"'));
    await expect(registry.verify()).rejects.toMatchObject({ code: "REGISTRY_CORRUPT", problems: [{ file: log }] });
  });

  test("finds a history that was cut", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("one"));
    await truncate(join(registry.root, "reflog.ndjson"), 0);
    await expect(registry.verify()).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
  });
});

/** Replaces a manifest by a changed one, as a hostile registry could hold it. */
async function plantManifest(registry: Registry, digest: string, change: (text: string) => string): Promise<void> {
  const folder = join(registry.root, "blobs", "sha256");
  const text = change(canonicalJson(await readJson(join(folder, digest.slice(7)))));
  await writeFile(join(folder, hashText(text)), text);
  const index = join(registry.root, "index.json");
  await writeFile(index, (await readFile(index, "utf8")).replaceAll(digest, `sha256:${hashText(text)}`));
}
