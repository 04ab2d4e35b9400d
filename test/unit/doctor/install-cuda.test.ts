import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type InstallCudaOptions, installCuda } from "../../../src/doctor/cuda/install.js";
import { CUDA_PROVIDER, cudaPackage } from "../../../src/doctor/cuda/package.js";
import { findOnnxRuntime, onnxRuntimeVersion } from "../../../src/environment/onnxruntime.js";
import { RerankTuneError } from "../../../src/errors.js";
import type { StageEvent } from "../../../src/events.js";
import { proxiedFetch } from "../../../src/hub/access.js";
import { type FakeFeed, installedRuntime, library, nuget, PACKAGE_ID, startFeed } from "../../helpers/fake-feed.js";
import { startProxy } from "../../helpers/fake-hub.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

const NAMES = [CUDA_PROVIDER, "libonnxruntime_providers_shared.so", "libonnxruntime_providers_tensorrt.so"];

interface Setup {
  feed: FakeFeed;
  root: string;
  folder: string;
  events: StageEvent[];
  install(more?: Partial<InstallCudaOptions>): Promise<string>;
}

async function setUp(content = nuget(), said: Record<string, unknown> = {}): Promise<Setup> {
  const feed = await startFeed(content, said);
  const root = await temporaryFolder();
  const { entry, folder } = await installedRuntime(join(root, "runtime"), feed.url);
  const events: StageEvent[] = [];
  const defaults: InstallCudaOptions = {
    entry,
    home: join(root, "home"),
    emit: (event) => void events.push(event),
    signal: new AbortController().signal,
    platform: "linux/x64",
    fetch,
    patience: { attempts: 3, pauseMs: 1, silenceMs: 2000 },
  };
  return { feed, root, folder, events, install: (more) => installCuda({ ...defaults, ...more }) };
}

async function packageFile(root: string, bytes: Buffer): Promise<string> {
  const file = join(root, "brought.nupkg");
  await writeFile(file, bytes);
  return file;
}

describe("the CUDA files", () => {
  test("of the installed release are fetched, checked and put beside the native library", async () => {
    const { folder, install, events, root } = await setUp();
    expect(await install()).toBe(folder);
    expect((await readdir(folder)).sort()).toEqual(NAMES);
    for (const name of NAMES) {
      expect((await readFile(join(folder, name))).equals(library(name))).toBe(true);
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o755);
    }
    const last = events.findLast((event) => event.type === "progress");
    expect(last?.type === "progress" && last.completed === last.total).toBe(true);
    expect(await readdir(join(root, "home", "node", "cuda-9.9.0"))).toEqual([]);
  });

  test("that broke off are asked for from there", async () => {
    const { feed, install, folder } = await setUp();
    const content = nuget();
    feed.fault = (incoming, reply) => {
      if (incoming.url !== "/store/package" || incoming.headers.range !== undefined) return false;
      reply.writeHead(200, { "Content-Length": content.length });
      reply.write(content.subarray(0, 300));
      setTimeout(() => reply.destroy(), 200);
      return true;
    };
    await install();
    expect(feed.requests.filter((line) => line.startsWith("/store/"))).toEqual([
      "/store/package",
      "/store/package bytes=300-",
    ]);
    expect(await readdir(folder)).toHaveLength(3);
  });

  test("come through the proxy of the environment", { timeout: 120_000 }, async () => {
    const { feed, install, folder } = await setUp();
    const proxy = await startProxy();
    await install({ fetch: await proxiedFetch({ http_proxy: proxy.url }) });
    expect(await readdir(folder)).toHaveLength(3);
    expect(proxy.passed.length).toBeGreaterThanOrEqual(1);
    expect(feed.requests).toContain("/store/package");
  });

  test("are taken from another feed where one is named", async () => {
    const { install, feed } = await setUp();
    const mirror = await startFeed(nuget());
    await install({ feed: mirror.url });
    expect([feed.requests.length, mirror.requests.includes("/store/package")]).toEqual([0, true]);
  });

  test("in a package brought by hand need no network", async () => {
    const { install, folder, feed, root, events } = await setUp();
    const file = await packageFile(root, nuget());
    await install({ packageFile: file });
    expect([await readdir(folder), feed.requests]).toEqual([expect.arrayContaining(NAMES), []]);
    expect(events).toContainEqual({ type: "note", message: expect.stringContaining("not checked") });
    const sha512 = createHash("sha512").update(nuget()).digest("base64");
    await writeFile(`${file}.sha512`, `${sha512}\n`);
    await expect(install({ packageFile: file })).resolves.toBe(folder);
    expect((await stat(file)).isFile()).toBe(true);
  });
});

describe("refused, with no library left half there, is", () => {
  async function refused(setup: Setup, more: Partial<InstallCudaOptions> = {}) {
    const error = await setup.install(more).then(
      () => undefined,
      (thrown) => thrown,
    );
    expect(await readdir(setup.folder)).toEqual([]);
    return { code: error?.code as string, message: String(error?.message), hint: String(error?.hint) };
  }

  test("a package with other bytes than the feed says", async () => {
    const setup = await setUp(nuget(), { packageHash: `${"A".repeat(86)}==` });
    expect(await refused(setup)).toMatchObject({
      code: "CHECKSUM_MISMATCH",
      hint: expect.stringContaining("--cuda-feed"),
    });
  });

  test.each([
    ["no digest", { packageHash: undefined }, "packageHash"],
    ["a digest of another kind", { packageHashAlgorithm: "MD5" }, "packageHashAlgorithm"],
  ])("a feed that gives %s", async (_title, said, field) => {
    const found = await refused(await setUp(nuget(), said));
    expect(found).toMatchObject({ code: "DOWNLOAD_FAILED", message: expect.stringContaining(field) });
    expect(found.hint).toContain(`https://www.nuget.org/api/v2/package/${PACKAGE_ID}/9.9.0`);
    expect(found.hint).toContain("--cuda-package FILE");
  });

  test("a feed without the release, and one that is not there", async () => {
    const setup = await setUp();
    setup.feed.fault = (incoming, reply) => {
      if (incoming.url?.startsWith("/registration/") !== true) return false;
      reply.writeHead(404).end();
      return true;
    };
    expect(await refused(setup)).toMatchObject({ code: "DOWNLOAD_FAILED", message: expect.stringContaining("404") });
    const gone = await refused(setup, { feed: "http://127.0.0.1:9/index.json" });
    expect(gone).toMatchObject({ code: "DOWNLOAD_FAILED", hint: expect.stringContaining("HTTPS_PROXY") });
  });

  test.each([
    ["of another release", nuget({ version: "1.2.3" }), "it is Microsoft.ML.OnnxRuntime.Gpu.Linux 1.2.3"],
    ["of another name", nuget({ id: "Other" }), "it is Other 9.9.0"],
    ["without a library", nuget({ libraries: { [NAMES[1] as string]: null } }), "not in it"],
    ["with a text for a library", nuget({ libraries: { [CUDA_PROVIDER]: Buffer.from("text") } }), "no Linux library"],
    ["that was cut off", nuget().subarray(0, 700), "no whole zip file"],
  ])("a package by hand %s", async (_title, bytes, reason) => {
    const setup = await setUp();
    const found = await refused(setup, { packageFile: await packageFile(setup.root, bytes) });
    expect(found.code).toBe("CUDA_PACKAGE_INVALID");
    expect(found.message).toContain(reason);
    expect(found.message).toContain("brought.nupkg");
  });

  test("a package by hand that is not there, or is not what its .sha512 says", async () => {
    const setup = await setUp();
    expect((await refused(setup, { packageFile: "/nowhere.nupkg" })).code).toBe("USAGE");
    const file = await packageFile(setup.root, nuget());
    await writeFile(`${file}.sha512`, "AAAA");
    expect((await refused(setup, { packageFile: file })).code).toBe("CHECKSUM_MISMATCH");
  });

  test.each(["darwin/arm64", "win32/x64", "linux/arm64"])("the platform %s, by name", async (platform) => {
    const setup = await setUp();
    expect(await refused(setup, { platform })).toMatchObject({
      code: "PLATFORM_UNSUPPORTED",
      message: expect.stringContaining(platform),
    });
    expect(setup.feed.requests).toEqual([]);
  });

  test("a folder that cannot be written, before anything is fetched; root can write it", async () => {
    const setup = await setUp();
    await chmod(setup.folder, 0o555);
    const found = await setup.install().catch((error: unknown) => error);
    await chmod(setup.folder, 0o755);
    if (process.getuid?.() === 0) {
      expect(found).not.toBeInstanceOf(RerankTuneError);
      return;
    }
    expect(found).toMatchObject({ code: "NOT_WRITABLE", message: expect.stringContaining(setup.folder) });
    expect(setup.feed.requests).toEqual([]);
  });

  test("an onnxruntime-node without its binaries, or without a word on the package", async () => {
    const setup = await setUp();
    await rm(setup.folder, { recursive: true });
    await expect(setup.install()).rejects.toMatchObject({ code: "RUNTIME_MISSING" });
    await mkdir(setup.folder);
    await rm(join(setup.root, "runtime", "script"), { recursive: true });
    expect((await refused(setup)).code).toBe("RUNTIME_MISSING");
  });
});

test("the pinned onnxruntime-node names the very package of its own version, and the folder it loads from", () => {
  const wanted = cudaPackage(findOnnxRuntime() ?? "", "linux/x64");
  expect(wanted).toMatchObject({ id: PACKAGE_ID, version: onnxRuntimeVersion() });
  expect(wanted.feed).toMatch(/^https:\/\/api\.nuget\.org\//);
  expect(wanted.files.map(({ target }) => target).sort()).toEqual(NAMES.map((name) => join(wanted.folder, name)));
});
