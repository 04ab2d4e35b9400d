import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { findPython } from "../../../src/environment/find-python.js";
import { chooseTorch, type TorchQuestion, type TorchSource } from "../../../src/environment/torch-source.js";
import { folderPerTest } from "../../helpers/folder-per-test.js";

const folder = folderPerTest();
let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

/** A package index on the loopback interface. @param page undefined: it takes the request and never answers. */
async function index(page: string | undefined): Promise<string> {
  server = createServer((_, response) => {
    if (page !== undefined) response.setHeader("content-type", "text/html").end(page);
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** No configuration of the machine reaches pip, so that only what a test says counts. */
async function choose(question: Partial<TorchQuestion>, variables: NodeJS.ProcessEnv = {}): Promise<TorchSource> {
  const { executable, minor } = await findPython();
  return await chooseTorch({
    python: executable,
    minor,
    signal: new AbortController().signal,
    platform: "linux",
    hasNvidiaDriver: false,
    index: "http://127.0.0.1:9", // nothing listens there
    variables: { PATH: process.env.PATH, PIP_CONFIG_FILE: "/dev/null", ...variables },
    ...question,
  });
}

const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
async function wheelName(version: string): Promise<string> {
  const tag = `cp${(await findPython()).minor.replace(".", "")}`;
  return `torch-${version}-${tag}-${tag}-manylinux_2_28_${machine}.whl`;
}

describe("the source of torch on Linux without an NVIDIA driver", () => {
  test("is a CPU wheel in a folder of pip's own configuration", async () => {
    const name = await wheelName("2.13.0+cpu");
    await writeFile(join(folder(), name), "");
    expect(await choose({}, { PIP_FIND_LINKS: folder() })).toMatchObject({ kind: "wheel", path: join(folder(), name) });
  });

  test("is a CPU wheel in RERANK_TUNE_WHEELS before pip's folders", async () => {
    const name = await wheelName("2.13.0+cpu");
    const [ours, pips] = [join(folder(), "ours"), join(folder(), "pips")];
    for (const place of [ours, pips]) {
      await mkdir(place);
      await writeFile(join(place, name), "");
    }
    const source = await choose({}, { RERANK_TUNE_WHEELS: ours, PIP_FIND_LINKS: pips });
    expect(source).toMatchObject({ kind: "wheel", path: join(ours, name) });
  });

  test.each(["2.12.0+cpu", "2.13.0+cu130", "2.13.0"])("is not a wheel of %s", async (version) => {
    await writeFile(join(folder(), await wheelName(version)), "");
    expect((await choose({}, { PIP_FIND_LINKS: folder() })).kind).toBe("default");
  });

  test("is not a wheel for another Python", async () => {
    await writeFile(join(folder(), `torch-2.13.0+cpu-cp310-cp310-manylinux_2_28_${machine}.whl`), "");
    expect((await choose({}, { PIP_FIND_LINKS: folder() })).kind).toBe("default");
  });

  test("is PyTorch's CPU index when that offers the version", async () => {
    const name = encodeURIComponent(await wheelName("2.13.0+cpu"));
    const url = await index(`<a href="/files/${name}#sha256=00">${name}</a>`);
    expect(await choose({ index: url })).toMatchObject({ kind: "index", url });
  });

  test("is not an index that has other versions only", async () => {
    const name = encodeURIComponent(await wheelName("2.12.0+cpu"));
    expect((await choose({ index: await index(`<a href="/files/${name}">${name}</a>`) })).kind).toBe("default");
  });

  test("is the configured index, with the size said first, when the CPU index does not answer in seconds", async () => {
    const started = performance.now();
    const source = await choose({ index: await index(undefined) });
    expect(source).toMatchObject({ kind: "default", note: expect.stringContaining("2.7 GB") });
    expect(performance.now() - started).toBeLessThan(12_000);
  });
});

describe("the source of torch elsewhere", () => {
  test("is the configured index on macOS, without a word", async () => {
    expect(await choose({ platform: "darwin" })).toEqual({ kind: "default" });
  });

  test("is the configured index where an NVIDIA driver is, even with a CPU wheel on disk", async () => {
    await writeFile(join(folder(), await wheelName("2.13.0+cpu")), "");
    expect((await choose({ hasNvidiaDriver: true }, { PIP_FIND_LINKS: folder() })).kind).toBe("default");
  });
});
