// The calls of every reader of the Hub, one by one, against a small registry: what they need in the reply is in it.
import { chmod, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRegistry } from "../../src/registry/index.js";
import { type Reply, serving, sha256 } from "../helpers/running-server.js";
import { numberedLines, type ServedRegistry, servedRegistry } from "../helpers/served-registry.js";
import { temporaryFolder } from "../helpers/temporary-folder.js";

const MODEL = "/local/reranker";
const API = "/api/models/local/reranker";
const TOKEN = "hf_0123456789abcdef0123";
const revision = (digest: string) => digest.slice(7, 47);

let folder: string;
let shared: ServedRegistry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rerank-tune-serve-"));
  shared = await servedRegistry(undefined, folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** @param own a registry that only this test sees, for tests that change it; shared by all others. */
async function setUp(more: Parameters<typeof serving>[1] = {}, own?: { graph?: string }) {
  const served = own === undefined ? shared : await servedRegistry(own.graph);
  const server = await serving(served.registry.root, more);
  const blob = (content: string) => join(served.registry.root, "blobs", "sha256", sha256(content));
  return { ...served, ...server, sha: revision(served.second.digest), blob };
}

const code = ({ status, headers }: Reply) => [status, headers["x-error-code"]];

describe("a file", () => {
  test("has all that huggingface_hub reads from a HEAD, and the same from a GET with the bytes", async () => {
    const { call, get, sha, second } = await setUp();
    const path = `${MODEL}/resolve/main/onnx/model.onnx`;
    const head = await call("HEAD", path, { "Accept-Encoding": "identity" });
    expect(head.status).toBe(200);
    expect(head.body).toHaveLength(0);
    expect(head.headers).toMatchObject({
      etag: `"${sha256("second graph")}"`,
      "x-linked-etag": `"${sha256("second graph")}"`,
      "x-linked-size": "12",
      "content-length": "12",
      "x-repo-commit": sha,
      "x-rerank-tune-digest": second.digest,
      "accept-ranges": "bytes",
    });
    const whole = await get(path, { "Accept-Encoding": "gzip, deflate" });
    expect(whole.body.toString()).toBe("second graph");
    expect(whole.headers["content-encoding"]).toBeUndefined();
    expect({ ...whole.headers, date: "" }).toEqual({ ...head.headers, date: "" });
  });

  test("is found by alias, branch, pinned revision and whole digest, with and without organization", async () => {
    const { get, sha, first, second } = await setUp();
    const names = [
      "main",
      "HEAD",
      "latest",
      "refs%2Fheads%2Flatest",
      sha,
      second.digest.slice(7),
      encodeURIComponent(second.digest),
    ];
    for (const name of names)
      for (const model of ["/local/reranker", "/reranker"])
        expect((await get(`${model}/resolve/${name}/onnx/model.onnx`)).body.toString(), name).toBe("second graph");
    const old = await get(`${MODEL}/resolve/${revision(first.digest)}/onnx/model.onnx`);
    expect(old.body.toString()).toBe("first graph");
    expect(old.headers["cache-control"]).toContain("immutable");
    expect((await get(`${MODEL}/resolve/main/README.md`)).headers["cache-control"]).toContain("no-cache");
    const odd = await get(`${MODEL}/resolve/main/${["odd", "naïve name+100%.txt"].map(encodeURIComponent).join("/")}`);
    expect(odd.body.toString()).toBe("odd");
  });

  test("comes in ranges, clamped to its end", async () => {
    const { get } = await setUp();
    const range = async (value: string) => {
      const { status, headers, body } = await get(`${MODEL}/resolve/main/onnx/model.onnx`, { Range: value });
      return [status, headers["content-range"], body.toString(), headers["content-length"]];
    };
    expect(await range("bytes=0-0")).toEqual([206, "bytes 0-0/12", "s", "1"]);
    expect(await range("bytes=7-12")).toEqual([206, "bytes 7-11/12", "graph", "5"]);
    expect(await range("bytes=7-")).toEqual([206, "bytes 7-11/12", "graph", "5"]);
    expect(await range("bytes=-5")).toEqual([206, "bytes 7-11/12", "graph", "5"]);
    expect((await range("bytes=12-20")).slice(0, 2)).toEqual([416, "bytes */12"]);
    expect((await range("bytes=0-1,3-4")).slice(0, 3)).toEqual([200, undefined, "second graph"]);
  });

  test("is not sent twice: If-None-Match, and If-Range for a resumed download", async () => {
    const { get } = await setUp();
    const path = `${MODEL}/resolve/main/onnx/model.onnx`;
    const etag = `"${sha256("second graph")}"`;
    for (const value of [etag, `W/${etag}`, `"other", ${etag}`, "*"])
      expect((await get(path, { "If-None-Match": value })).status, value).toBe(304);
    expect((await get(path, { "If-None-Match": '"other"' })).status).toBe(200);
    expect((await get(path, { Range: "bytes=7-", "If-Range": etag })).body.toString()).toBe("graph");
    expect((await get(path, { Range: "bytes=7-", "If-Range": '"other"' })).body.toString()).toBe("second graph");
  });

  test("of no bytes still tells its size to readers that ask for one byte", async () => {
    const registry = await openRegistry(join(await temporaryFolder(), "registry"), { create: true });
    const files = [{ path: "empty.txt", source: { content: "" } }];
    await registry.publishVersion({ name: "m", alias: "latest", files, config: { descriptor: {}, config: {} } });
    const { get } = await serving(registry.root);
    const reply = await get("/local/m/resolve/main/empty.txt", { Range: "bytes=0-0" });
    expect([reply.status, reply.headers["content-range"], reply.body.length]).toEqual([200, "bytes */0", 0]);
  });

  test("that is not there, or whose version or model is not, is refused in the Hub's words", async () => {
    const { get, sha } = await setUp();
    const missing = await get(`${MODEL}/resolve/main/onnx/other.onnx`);
    expect(code(missing)).toEqual([404, "EntryNotFound"]);
    expect(missing.headers["x-repo-commit"]).toBe(sha);
    expect(code(await get(`${MODEL}/resolve/main/onnx`))).toEqual([404, "EntryNotFound"]);
    expect(code(await get(`${MODEL}/resolve/refs%2Fpr%2F1/config.json`))).toEqual([404, "RevisionNotFound"]);
    expect(code(await get(`${MODEL}/resolve/${"0".repeat(40)}/config.json`))).toEqual([404, "RevisionNotFound"]);
    expect(code(await get(`${MODEL}/resolve/${sha.slice(0, 12)}/config.json`))).toEqual([404, "RevisionNotFound"]);
    expect(code(await get(`${MODEL}/resolve/__proto__/config.json`))).toEqual([404, "RevisionNotFound"]);
    expect(code(await get("/local/nobody/resolve/main/config.json"))).toEqual([404, "RepoNotFound"]);
    expect(code(await get("/acme/reranker/resolve/main/config.json"))).toEqual([404, "RepoNotFound"]);
  });

  test("outside the version cannot be named", async () => {
    const { get, registry } = await setUp();
    const index = sha256(Buffer.from(JSON.stringify(registry.root)));
    const attempts = [
      `${MODEL}/resolve/main/../../../../index.json`,
      `${MODEL}/resolve/main/..%2f..%2f..%2findex.json`,
      `${MODEL}/resolve/main/%2e%2e/%2e%2e/index.json`,
      `${MODEL}/resolve/..%2f..%2f/index.json`,
      `${MODEL}/resolve/main//etc/passwd`,
      `${MODEL}/resolve/main/%2fetc%2fpasswd`,
      `${MODEL}/resolve/main/config.json%00.txt`,
      `/local/..%2f..%2fregistry/resolve/main/index.json`,
      `/../index.json`,
      `//index.json`,
      `/blobs/sha256/${index}`,
      `${MODEL}/resolve/main/%`,
      `/reflog.ndjson`,
    ];
    for (const path of attempts) expect((await get(path)).status, path).toBe(404);
  });

  test("that was damaged is not sent as if it were right", async () => {
    const { get, blob, log } = await setUp({ rehash: true }, {});
    const path = `${MODEL}/resolve/main/onnx/model.onnx`;
    expect((await get(path)).status).toBe(200);
    await chmod(blob("second graph"), 0o644);
    await writeFile(blob("second graph"), "second grap?");
    expect((await get(path)).status).toBe(500);
    await truncate(blob("second graph"), 5);
    expect((await get(path)).status).toBe(500);
    await rm(blob("second graph"));
    expect((await get(path)).status).toBe(500);
    expect(log.filter(({ failure }) => failure?.includes(sha256("second graph")))).toHaveLength(3);
  });

  test("of another size is refused without hashing too", async () => {
    const { get, blob } = await setUp({}, {});
    await chmod(blob("second graph"), 0o644);
    await truncate(blob("second graph"), 5);
    expect((await get(`${MODEL}/resolve/main/onnx/model.onnx`)).status).toBe(500);
  });
});

describe("TEI's client", () => {
  test("learns the size from one byte, then takes ranges of 10 MB whose last ends one byte too far", async () => {
    const content = numberedLines(2_900_000);
    expect(content.length).toBeGreaterThan(20_000_000);
    const { get, sha } = await setUp({}, { graph: content });
    const path = `${MODEL}/resolve/${encodeURIComponent("refs/heads/latest")}/onnx/model.onnx`;
    const probe = await get(path, { Range: "bytes=0-0" });
    expect([probe.status, probe.headers["x-repo-commit"]]).toEqual([206, sha]);
    const length = Number(probe.headers["content-range"]?.split("/").at(-1));
    expect(length).toBe(content.length);
    const parts: Buffer[] = [];
    for (let start = 0; start < length; start += 10_000_000) {
      const { body, status } = await get(path, { Range: `bytes=${start}-${Math.min(start + 9_999_999, length)}` });
      expect(status).toBe(206);
      parts.push(body);
    }
    expect(sha256(Buffer.concat(parts))).toBe(sha256(content));
    expect(probe.headers["x-linked-etag"]).toBe(`"${sha256(content)}"`);
    const info = (await get(`${API}/revision/main`)).json() as { sha: string; siblings: { rfilename: string }[] };
    expect([info.sha, info.siblings.map(({ rfilename }) => rfilename)]).toEqual([
      sha,
      expect.arrayContaining(["onnx/model.onnx"]),
    ]);
    for (const name of ["1_Pooling/config.json", "sentence_bert_config.json", "modules.json"])
      expect(code(await get(`${MODEL}/resolve/${sha}/${name}`, { Range: "bytes=0-0" }))).toEqual([
        404,
        "EntryNotFound",
      ]);
  });
});

describe("what clients ask before they download", () => {
  test("a version: its revision, files and card", async () => {
    const { get, sha, second } = await setUp();
    for (const path of [API, `${API}/revision/latest`, `/api/models/reranker/revision/${sha}?expand=sha&blobs=true`])
      expect((await get(path)).json(), path).toMatchObject({
        id: "local/reranker",
        sha,
        digest: second.digest,
        private: false,
        pipeline_tag: "text-ranking",
        library_name: "sentence-transformers",
        tags: ["reranker"],
        cardData: { license: "apache-2.0" },
        lastModified: expect.stringMatching(/^\d{4}-.*Z$/),
      });
    expect(code(await get("/api/models/local/nobody"))).toEqual([404, "RepoNotFound"]);
    expect(code(await get(`${API}/revision/nope`))).toEqual([404, "RevisionNotFound"]);
  });

  test("a tree, whole or one folder, where every file is a large one with its sha256", async () => {
    const { get, sha } = await setUp();
    const tree = (await get(`${API}/tree/${sha}?recursive=true&expand=false`)).json() as Record<string, unknown>[];
    expect(tree.map(({ type, path }) => `${type} ${path}`)).toEqual([
      "file README.md",
      "file config.json",
      "directory odd",
      "file odd/naïve name+100%.txt",
      "directory onnx",
      "file onnx/model.onnx",
      "file onnx/model.onnx_data",
      "file tokenizer.json",
    ]);
    // `git hash-object` of `version https://git-lfs.github.com/spec/v1\noid sha256:<sha256>\nsize 12\n`
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256("second graph")}\nsize 12\n`;
    expect(tree[5]).toEqual({
      type: "file",
      path: "onnx/model.onnx",
      size: 12,
      oid: expect.stringMatching(/^[0-9a-f]{40}$/),
      lfs: { oid: sha256("second graph"), size: 12, pointerSize: pointer.length },
    });
    const top = (await get(`${API}/tree/main`)).json() as { path: string }[];
    expect(top.map(({ path }) => path)).toEqual(["README.md", "config.json", "odd", "onnx", "tokenizer.json"]);
    const inner = (await get(`${API}/tree/main/onnx?expand=true`)).json() as {
      path: string;
      lastCommit: { id: string };
    }[];
    expect(inner.map(({ path, lastCommit }) => [path, lastCommit.id])).toEqual([
      ["onnx/model.onnx", sha],
      ["onnx/model.onnx_data", sha],
    ]);
    expect(code(await get(`${API}/tree/main/additional_chat_templates?recursive=false`))).toEqual([
      404,
      "EntryNotFound",
    ]);
  });

  test("pages of a tree and of the models, by links", async () => {
    const { get, url } = await setUp();
    const follow = async (first: string): Promise<string[]> => {
      const seen: string[] = [];
      for (let next: string | undefined = first; next !== undefined; ) {
        const reply = await get(next);
        seen.push(...(reply.json() as { path?: string; id?: string }[]).map(({ path, id }) => path ?? id ?? ""));
        next = /^<(.+)>; rel="next"$/.exec(reply.headers.link ?? "")?.[1]?.replace(url, "");
      }
      return seen;
    };
    expect(await follow(`${API}/tree/main?recursive=true&limit=3`)).toHaveLength(8);
    expect(await follow("/api/models?limit=1")).toEqual(["local/reranker", "local/reranker-int8"]);
    expect((await get(`${API}/tree/main?limit=3`)).headers.link).toContain("limit=3&cursor=3");
    expect(await follow("/api/models?search=INT8")).toEqual(["local/reranker-int8"]);
    expect(await follow("/api/models?author=acme")).toEqual([]);
  });

  test("entries for paths, as JSON and as a form", async () => {
    const { call, sha } = await setUp();
    const path = `${API}/paths-info/${sha}`;
    const asked = { paths: ["onnx", "config.json", "nope"], expand: true };
    const json = await call("POST", path, { "Content-Type": "application/json" }, JSON.stringify(asked));
    expect((json.json() as { path: string }[]).map((entry) => entry.path)).toEqual(["config.json", "onnx"]);
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    const posted = await call("POST", path, form, "paths=config.json&paths=README.md&expand=False");
    expect((posted.json() as { path: string }[]).map((entry) => entry.path)).toEqual(["README.md", "config.json"]);
    expect((await call("POST", path, { "Content-Type": "application/json" }, "{")).json()).toEqual([]);
    expect((await call("POST", path, form, "x".repeat(2 << 20))).status).toBe(413);
  });

  test("branches, who one is, and whether the server lives", async () => {
    const { get, sha } = await setUp();
    expect((await get(`${API}/refs`)).json()).toMatchObject({
      branches: [
        { name: "main", ref: "refs/heads/main", targetCommit: sha },
        { name: "latest", targetCommit: sha },
      ],
      tags: [],
    });
    expect((await get("/api/whoami-v2")).json()).toMatchObject({
      name: "reader",
      auth: { accessToken: { role: "read" } },
    });
    expect((await get("/healthz")).body.toString()).toBe("ok\n");
    expect((await get("/api/agent-harnesses")).status).toBe(404);
    expect((await get("/api/datasets/local/reranker")).status).toBe(404);
  });

  test("an alias that moved is seen at once", async () => {
    const { get, registry, sha } = await setUp({}, {});
    expect(((await get(API)).json() as { sha: string }).sha).toBe(sha);
    const files = [{ path: "config.json", source: { content: "{}" } }];
    const moved = await registry.publishVersion({
      name: "reranker",
      alias: "latest",
      files,
      config: { descriptor: {}, config: {} },
    });
    expect(((await get(API)).json() as { sha: string }).sha).toBe(revision(moved.digest));
    expect((await get(`${MODEL}/resolve/${sha}/onnx/model.onnx`)).status).toBe(200);
  });
});

describe("who may read", () => {
  test("everyone without a token; with one its bearers, and browsers by password", async () => {
    const { get, log } = await setUp({ token: TOKEN });
    const basic = (password: string) => `Basic ${Buffer.from(`me:${password}`).toString("base64")}`;
    for (const header of [
      undefined,
      "Bearer wrong",
      `Bearer ${TOKEN}x`,
      "Bearer",
      TOKEN,
      basic("wrong"),
      `Digest ${TOKEN}`,
    ]) {
      const reply = await get(API, header === undefined ? {} : { Authorization: header });
      expect([reply.status, reply.headers["www-authenticate"]], header).toEqual([401, 'Bearer realm="registry"']);
    }
    for (const header of [`Bearer ${TOKEN}`, `bearer ${TOKEN}`, basic(TOKEN)])
      expect((await get(API, { Authorization: header })).status, header).toBe(200);
    const page = await get("/", { Accept: "text/html" });
    expect([page.status, page.headers["www-authenticate"]]).toEqual([401, 'Basic realm="registry"']);
    expect(
      (await get(`${MODEL}/resolve/main/nope`)).headers["x-error-code"],
      "tells nothing of what is there",
    ).toBeUndefined();
    expect((await get("/healthz")).status).toBe(200);
    await get(`/api/models?token=${TOKEN}`, { Authorization: `Bearer ${TOKEN}` });
    expect(JSON.stringify(log)).not.toContain(TOKEN);
  });

  test("on loopback without a token no request under another site's name", async () => {
    const { get } = await setUp();
    for (const host of ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example"])
      expect((await get(API, { Host: host })).status, host).toBe(421);
    for (const host of ["localhost", "localhost:1234", "127.0.0.1:80", "[::1]:80"])
      expect((await get(API, { Host: host })).status, host).toBe(200);
    const guarded = await setUp({ token: TOKEN });
    const headers = { Host: "models.example", Authorization: `Bearer ${TOKEN}` };
    expect((await guarded.get(API, headers)).status).toBe(200);
  });

  test("nobody writes", async () => {
    const { call } = await setUp();
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
      for (const path of [`${MODEL}/resolve/main/config.json`, API, "/api/models", "/"])
        expect((await call(method, path)).status, `${method} ${path}`).toBe(405);
    expect((await call("GET", `${API}/paths-info/main`)).status).toBe(405);
  });
});

describe("the server", () => {
  test("logs each request once, with the bytes of files and without queries", async () => {
    const { get, log } = await setUp();
    await get(`${MODEL}/resolve/main/onnx/model.onnx?download=secret`, { Range: "bytes=0-3" });
    await get(`${MODEL}/resolve/main/na%C3%AFve`);
    expect(log.map(({ method, path, status, bytes }) => [method, path, status, bytes])).toEqual([
      ["GET", `${MODEL}/resolve/main/onnx/model.onnx`, 206, 4],
      ["GET", `${MODEL}/resolve/main/na%C3%AFve`, 404, 0],
    ]);
  });

  test("goes on when clients go away in the middle, and lets downloads end when it stops", async () => {
    const { url, get, stop, log, registry } = await setUp({}, { graph: "x".repeat(30_000_000) });
    const { port } = new URL(url);
    const ask = `GET ${MODEL}/resolve/main/onnx/model.onnx HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    const rude = connect(Number(port), "127.0.0.1", () => rude.write(ask));
    await new Promise<void>((done) => rude.once("data", () => rude.destroy()).once("close", () => done()));
    expect((await get(`${MODEL}/resolve/main/config.json`)).status).toBe(200);
    let received = 0;
    const slow = connect(Number(port), "127.0.0.1", () => slow.write(ask));
    const ended = new Promise<void>((done) => slow.once("close", () => done()));
    await new Promise<void>((done) =>
      slow.once("data", (part: Buffer) => {
        received += part.length;
        slow.pause();
        done();
      }),
    );
    const stopping = stop(20_000);
    slow.on("data", (part: Buffer) => {
      received += part.length;
    });
    slow.resume();
    await Promise.all([stopping, ended]);
    expect(received).toBeGreaterThan(30_000_000);
    expect(log.filter(({ bytes }) => bytes === 30_000_000)).toHaveLength(1);
    await expect(get("/healthz")).rejects.toThrow();
    expect((await registry.verify()).problems).toEqual([]);
  }, 60_000);

  test("does not hold memory for a download that nobody reads", async () => {
    const { url, log } = await setUp({}, { graph: "x".repeat(64_000_000) });
    const { port } = new URL(url);
    const before = process.memoryUsage().rss;
    const idle = Array.from({ length: 4 }, () => {
      const socket = connect(Number(port), "127.0.0.1", () =>
        socket.write(`GET ${MODEL}/resolve/main/onnx/model.onnx HTTP/1.1\r\nHost: localhost\r\n\r\n`),
      );
      socket.on("error", () => undefined).pause();
      return socket;
    });
    await new Promise((done) => setTimeout(done, 500));
    expect(process.memoryUsage().rss - before).toBeLessThan(64_000_000);
    for (const socket of idle) socket.destroy();
    expect(log).toEqual([]);
  });

  test("says that a registry is not there, and that an address is taken", async () => {
    await expect(serving(join(await temporaryFolder(), "none"))).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
    const { url, registry } = await setUp();
    await expect(serving(registry.root, { port: Number(new URL(url).port) })).rejects.toMatchObject({ code: "USAGE" });
    await expect(serving(registry.root, { organization: "../x" })).rejects.toMatchObject({ code: "USAGE" });
  });
});
