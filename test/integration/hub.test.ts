// A base fetched from a hub on loopback: whole, damaged, cut off, refused, resumed, offline, and through a proxy.
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { StageEvent } from "../../src/events.js";
import { proxiedFetch } from "../../src/hub/access.js";
import { type ResolveBaseOptions, resolveBase } from "../../src/hub/resolve-base.js";
import { type FakeHub, type FakeRepository, SHA, send, startHub, startProxy } from "../helpers/fake-hub.js";
import { temporaryFolder } from "../helpers/temporary-folder.js";

const REPO = "owner/tiny";
const WEIGHTS = randomBytes(300_000);
const files = {
  "config.json": "{}",
  "tokenizer.json": '{"a":1}',
  "tokenizer_config.json": "{}",
  "README.md": "---\nlicense: mit\n---\n",
  "model.safetensors": WEIGHTS,
  "pytorch_model.bin": "pickle",
  "evil.py": "boom",
};

interface Setup {
  hub: FakeHub;
  cache: string;
  events: StageEvent[];
  resolve(more?: Partial<ResolveBaseOptions>): ReturnType<typeof resolveBase>;
}

async function setUp(repository: Partial<FakeRepository> = {}): Promise<Setup> {
  vi.stubEnv("HF_TOKEN", "");
  vi.stubEnv("HF_TOKEN_PATH", "/nonexistent");
  onTestFinished(() => void vi.unstubAllEnvs());
  const hub = await startHub({ repo: REPO, files, ...repository });
  const cache = await temporaryFolder();
  const events: StageEvent[] = [];
  const defaults: ResolveBaseOptions = {
    repo: REPO,
    revision: "main",
    cacheDir: cache,
    offline: false,
    emit: (event) => void events.push(event),
    signal: new AbortController().signal,
    hubUrl: hub.url,
    fetch,
    patience: { attempts: 3, pauseMs: 1, silenceMs: 400 },
  };
  return { hub, cache, events, resolve: (more) => resolveBase({ ...defaults, ...more }) };
}

const downloads = (hub: FakeHub): string[] =>
  hub.requests.filter((line) => line.includes("/resolve/")).map((line) => line.replace(/.*\//, ""));
const isWeights = (url: string | undefined): boolean => url?.endsWith("/model.safetensors") === true;

describe("a base on the hub", () => {
  test("becomes a folder of its commit with checked data files alone", async () => {
    const { resolve, cache } = await setUp();
    const { dir, sha } = await resolve();
    expect({ dir, sha }).toEqual({ dir: join(cache, "hub", "owner--tiny", SHA), sha: SHA });
    expect((await readdir(dir)).sort()).toEqual([
      "README.md",
      "config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect((await readFile(join(dir, "model.safetensors"))).equals(WEIGHTS)).toBe(true);
  });

  test("is fetched once", async () => {
    const { resolve, hub } = await setUp();
    await resolve();
    const before = downloads(hub).length;
    await resolve();
    expect(downloads(hub)).toHaveLength(before);
  });

  test("named by a full commit that is cached needs no network", async () => {
    const { resolve, hub } = await setUp();
    await resolve();
    const before = hub.requests.length;
    await resolve({ revision: SHA });
    expect(hub.requests).toHaveLength(before);
  });

  test("tells its progress up to the end", async () => {
    const { resolve, events } = await setUp();
    await resolve();
    const last = events.findLast((event) => event.type === "progress");
    expect(last).toMatchObject({ unit: "bytes", completed: expect.any(Number) });
    expect(last?.type === "progress" && last.completed === last.total).toBe(true);
  });

  test("with sharded weights is fetched with all shards", async () => {
    const index = JSON.stringify({
      weight_map: { a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" },
    });
    const sharded = {
      "config.json": "{}",
      "tokenizer.json": "{}",
      "model.safetensors.index.json": index,
      "model-00001-of-00002.safetensors": "one",
      "model-00002-of-00002.safetensors": "two",
    };
    const { resolve } = await setUp({ files: sharded });
    const { dir } = await resolve();
    expect((await readdir(dir)).sort()).toEqual(Object.keys(sharded).sort());
  });

  test("asked for by two at once is fetched once", async () => {
    const { resolve, hub } = await setUp();
    const [one, two] = await Promise.all([resolve(), resolve()]);
    expect(one).toEqual(two);
    expect(downloads(hub).filter((name) => name === "model.safetensors")).toHaveLength(1);
  });
});

describe("bytes from the hub", () => {
  test("that are wrong twice are refused, and no folder appears", async () => {
    const { resolve, hub, cache } = await setUp();
    hub.fault = (incoming, reply) => {
      if (!isWeights(incoming.url)) return false;
      send(incoming, reply, randomBytes(WEIGHTS.length));
      return true;
    };
    await expect(resolve()).rejects.toMatchObject({
      code: "CHECKSUM_MISMATCH",
      message: expect.stringContaining("model.safetensors"),
    });
    expect(await readdir(join(cache, "hub", "owner--tiny"))).not.toContain(SHA);
  });

  test("of small files are checked too", async () => {
    const { resolve, hub } = await setUp();
    hub.fault = (incoming, reply) => {
      if (incoming.url?.endsWith("/config.json") !== true) return false;
      send(incoming, reply, Buffer.from("[]"));
      return true;
    };
    await expect(resolve()).rejects.toMatchObject({
      code: "CHECKSUM_MISMATCH",
      message: expect.stringContaining("config.json"),
    });
  });

  test("beyond the listed size are refused at once", async () => {
    const { resolve, hub } = await setUp();
    hub.fault = (incoming, reply) => {
      if (!isWeights(incoming.url)) return false;
      send(incoming, reply, Buffer.concat([WEIGHTS, WEIGHTS]));
      return true;
    };
    await expect(resolve()).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
  });

  test("that stop half way are asked for from there", async () => {
    const { resolve, hub } = await setUp();
    const ranges: (string | undefined)[] = [];
    hub.fault = (incoming, reply) => {
      if (!isWeights(incoming.url)) return false;
      ranges.push(incoming.headers.range);
      if (ranges.length > 1) return false;
      reply.writeHead(200, { "Content-Length": WEIGHTS.length });
      reply.write(WEIGHTS.subarray(0, 100_000), () => setTimeout(() => reply.destroy(), 50));
      return true;
    };
    const { dir } = await resolve();
    expect(ranges).toEqual([undefined, "bytes=100000-"]);
    expect((await readFile(join(dir, "model.safetensors"))).equals(WEIGHTS)).toBe(true);
  });

  test("that never come end in a clear error, with finished files kept for the next run", async () => {
    const { resolve, hub } = await setUp();
    hub.fault = (incoming) => isWeights(incoming.url); // no answer at all
    await expect(resolve()).rejects.toMatchObject({
      code: "DOWNLOAD_FAILED",
      hint: expect.stringContaining("run the same command again"),
    });
    hub.fault = undefined;
    const before = downloads(hub).length;
    await resolve();
    expect(downloads(hub).slice(before)).toEqual(["model.safetensors"]);
  });

  test("that fall silent in the middle do not hang", async () => {
    const { resolve, hub } = await setUp();
    let first = true;
    hub.fault = (incoming, reply) => {
      if (!isWeights(incoming.url) || !first) return false;
      first = false;
      reply.writeHead(200, { "Content-Length": WEIGHTS.length });
      reply.write(WEIGHTS.subarray(0, 1000));
      return true;
    };
    const { dir } = await resolve();
    expect((await readFile(join(dir, "model.safetensors"))).equals(WEIGHTS)).toBe(true);
  });

  test("left wrong by an earlier run are thrown away", async () => {
    const { resolve, cache } = await setUp();
    const partial = join(cache, "hub", "owner--tiny", `${SHA}.partial`);
    await mkdir(partial, { recursive: true });
    await writeFile(join(partial, "model.safetensors.part"), randomBytes(WEIGHTS.length));
    await writeFile(join(partial, "config.json"), "[]");
    const { dir } = await resolve();
    expect((await readFile(join(dir, "model.safetensors"))).equals(WEIGHTS)).toBe(true);
    expect(await readFile(join(dir, "config.json"), "utf8")).toBe("{}");
  });
});

describe("replies of the hub", () => {
  test.each([429, 500, 503])("%i is tried again", async (status) => {
    const { resolve, hub } = await setUp();
    let faults = 2;
    hub.fault = (_incoming, reply) => {
      if (faults === 0) return false;
      faults -= 1;
      reply.writeHead(status, { "Retry-After": "0" }).end();
      return true;
    };
    expect(await resolve()).toMatchObject({ sha: SHA });
  });

  test("503 without end is given up", async () => {
    const { resolve, hub } = await setUp();
    hub.fault = (_incoming, reply) => {
      reply.writeHead(503).end();
      return true;
    };
    await expect(resolve()).rejects.toMatchObject({ code: "DOWNLOAD_FAILED", message: expect.stringContaining("503") });
    expect(hub.requests).toHaveLength(3);
  });

  test("404 says which revision is not there", async () => {
    const { resolve } = await setUp();
    await expect(resolve({ revision: "nowhere" })).rejects.toMatchObject({
      code: "HUB_NOT_FOUND",
      message: expect.stringContaining("owner/tiny@nowhere"),
    });
  });

  test("401 asks for a token and does not print the one it had", async () => {
    const { resolve } = await setUp({ token: "hf_right" });
    const error: unknown = await resolve({ token: "hf_wrong" }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "HUB_UNAUTHORIZED", hint: expect.stringContaining("HF_TOKEN") });
    expect(JSON.stringify(error) + String(error)).not.toContain("hf_wrong");
  });

  test("a token that is none is named as such", async () => {
    const { resolve } = await setUp();
    await expect(resolve({ token: "wrong" })).rejects.toMatchObject({
      code: "HUB_UNAUTHORIZED",
      message: expect.not.stringContaining("wrong "),
    });
  });

  test("the token goes to the hub and not to where it redirects", async () => {
    const { resolve, hub } = await setUp({ token: "hf_right" });
    const seen: (string | undefined)[] = [];
    const storage = createServer((incoming, reply) => {
      seen.push(incoming.headers.authorization);
      send(incoming, reply, WEIGHTS);
    });
    await new Promise<void>((ready) => storage.listen(0, "127.0.0.1", ready));
    onTestFinished(() => void storage.close());
    hub.fault = (incoming, reply) => {
      if (!isWeights(incoming.url)) return false;
      reply.writeHead(302, { Location: `http://127.0.0.1:${(storage.address() as AddressInfo).port}/blob` }).end();
      return true;
    };
    await resolve({ token: "hf_right" });
    expect(hub.tokens.every((token) => token === "Bearer hf_right")).toBe(true);
    expect(seen).toEqual([undefined]);
  });

  test("a hub that is not there is named with the way out", async () => {
    const { resolve } = await setUp();
    await expect(resolve({ hubUrl: "http://127.0.0.1:9" })).rejects.toMatchObject({
      code: "DOWNLOAD_FAILED",
      hint: expect.stringContaining("HTTPS_PROXY"),
    });
  });

  test("a repository with pickles only is refused", async () => {
    const { resolve } = await setUp({
      files: { "config.json": "{}", "tokenizer.json": "{}", "pytorch_model.bin": "x" },
    });
    await expect(resolve()).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining("pytorch_model.bin"),
    });
  });

  test("a stop of the user ends the download as one", async () => {
    const { resolve, hub } = await setUp();
    const user = new AbortController();
    hub.fault = (incoming) => {
      if (!isWeights(incoming.url)) return false;
      setTimeout(() => user.abort("SIGINT"), 20);
      return true;
    };
    await expect(resolve({ signal: user.signal })).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});

describe("offline", () => {
  test("a cached branch is used at its last commit", async () => {
    const { resolve, hub } = await setUp();
    const online = await resolve();
    const before = hub.requests.length;
    expect(await resolve({ offline: true })).toEqual(online);
    expect(hub.requests).toHaveLength(before);
  });

  test.each(["RERANK_TUNE_OFFLINE", "HF_HUB_OFFLINE"])("is also said by %s=1", async (variable) => {
    const { resolve, hub } = await setUp();
    vi.stubEnv(variable, "1");
    await expect(resolve()).rejects.toMatchObject({
      code: "DOWNLOAD_FAILED",
      message: expect.stringContaining("offline"),
    });
    expect(hub.requests).toEqual([]);
  });
});

describe("a proxy of the environment", () => {
  test("carries every request", async () => {
    const { resolve, hub } = await setUp();
    const proxy = await startProxy();
    expect(await resolve({ fetch: await proxiedFetch({ HTTP_PROXY: proxy.url }) })).toMatchObject({ sha: SHA });
    expect(proxy.passed.length).toBeGreaterThan(0);
    expect(proxy.passed.every((target) => target.includes(new URL(hub.url).host))).toBe(true);
  });

  test("is left out for hosts of NO_PROXY", async () => {
    const { resolve } = await setUp();
    const proxy = await startProxy();
    await resolve({ fetch: await proxiedFetch({ HTTP_PROXY: proxy.url, NO_PROXY: "127.0.0.1" }) });
    expect(proxy.passed).toEqual([]);
  });
});
