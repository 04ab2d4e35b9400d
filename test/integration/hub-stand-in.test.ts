// The stand-in of the Hub held against clients that others wrote: what they send it takes, and what it gives they read, byte for byte.
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import {
  createBranch,
  createRepo,
  downloadFile,
  listFiles,
  snapshotDownload,
  uploadFiles,
  whoAmI,
} from "@huggingface/hub";
import { AutoModelForSequenceClassification, AutoTokenizer, env } from "@huggingface/transformers";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { hashFile } from "../../src/artifacts/hash.js";
import { gitBlob } from "../../src/hub/frozen-bytes.js";
import { noise, prepared, type Releasable, releasable } from "../helpers/releasable.js";
import { expectedSum, writeModelFolder } from "../helpers/scorer-package.js";
import { temporaryFolder } from "../helpers/temporary-folder.js";
import { type HubServer, startHubServer, TOKEN } from "../stand-ins/hub/server.js";
import { sha256 } from "../stand-ins/hub/store.js";

const run = promisify(execFile);
const REPO = "acme/tiny";
const FILES = {
  "config.json": Buffer.from('{"a":1}'),
  "onnx/model.onnx": noise("graph", 50_000),
  "weights.safetensors": noise("w", 90_000),
};

let hub: HubServer;
let folder: string;

beforeEach(async () => {
  hub = await startHubServer();
  hub.partBytes = 60_000;
  onTestFinished(() => hub.close());
  folder = await temporaryFolder();
});

async function release(options = {}, target = `hub:${REPO}`): Promise<Releasable> {
  const source = await releasable(join(folder, "registry"), options);
  await (await prepared(target, source, { url: hub.url, token: TOKEN })).carryOut();
  return source;
}

const digests = (source: Releasable): Record<string, string> =>
  Object.fromEntries(source.version.files.map(({ path, sha256: digest }) => [path, digest]));

describe("@huggingface/hub", () => {
  const call = () => ({ hubUrl: hub.url, accessToken: TOKEN });

  test("creates, uploads in one piece and in parts, and finds every digest in the tree", async () => {
    await createRepo({ repo: REPO, visibility: "private", ...call() });
    const files = Object.entries(FILES).map(([path, content]) => ({
      path,
      content: new Blob([new Uint8Array(content)]),
    }));
    const uploaded = await uploadFiles({ repo: REPO, files, commitTitle: "by the library", ...call() });
    await createBranch({ repo: REPO, branch: "other", ...call() });
    const seen: Record<string, string | undefined> = {};
    for await (const { type, path, oid, lfs } of listFiles({
      repo: REPO,
      revision: uploaded?.commit.oid ?? "",
      recursive: true,
      ...call(),
    }))
      if (type === "file" && path !== ".gitattributes") seen[path] = lfs?.oid ?? oid;
    expect(seen).toEqual({
      "config.json": gitBlob(FILES["config.json"]),
      "onnx/model.onnx": sha256(FILES["onnx/model.onnx"]),
      "weights.safetensors": sha256(FILES["weights.safetensors"]),
    });
    expect(hub.calls.filter(({ step }) => step === "part").length).toBe(2);
    expect((await whoAmI(call())).name).toBe("acme-bot");
    expect([...(hub.store.repositories.get(REPO)?.branches.keys() ?? [])]).toEqual(["main", "other"]);
  });

  test("reads a release, file by file and as a snapshot", async () => {
    const source = await release();
    for (const { path, sha256: digest } of source.version.files) {
      const blob = await downloadFile({ repo: REPO, path, ...call() });
      expect(sha256(Buffer.from((await blob?.arrayBuffer()) ?? new ArrayBuffer(0)))).toBe(digest);
    }
    const snapshot = await snapshotDownload({ repo: REPO, cacheDir: join(folder, "cache"), ...call() });
    for (const { path, sha256: digest } of source.version.files)
      expect(await hashFile(join(snapshot, path))).toBe(digest);
  });
});

test("huggingface_hub writes a repository, tags and branches it, and reads a release byte for byte", async () => {
  const source = await release();
  for (const [path, content] of Object.entries(FILES)) {
    await mkdir(dirname(join(folder, "mine", path)), { recursive: true });
    await writeFile(join(folder, "mine", path), content);
  }
  const script = resolve(import.meta.dirname, "../stand-ins/hub/python_client.py");
  const variables = {
    HF_ENDPOINT: hub.url,
    HF_TOKEN: TOKEN,
    HF_HOME: join(folder, "home"),
    HF_HUB_DISABLE_XET: "1",
    HF_HUB_DISABLE_TELEMETRY: "1",
  };
  const python = process.env.RERANK_TUNE_TEST_PYTHON ?? "python3";
  const { stdout } = await run(python, [script, join(folder, "mine"), join(folder, "theirs"), REPO], {
    env: { ...process.env, ...variables },
  });
  const seen = JSON.parse(stdout) as Record<string, unknown> & {
    listed: Record<string, string>;
    read: Record<string, string>;
  };
  const repository = hub.store.repositories.get(`${REPO}-by-python`);
  expect(seen).toMatchObject({
    who: "acme-bot",
    commit: repository?.branches.get("main"),
    head: repository?.branches.get("main"),
    private: true,
    tags: ["v1"],
    branches: ["main", "other"],
    written: [".gitattributes", ...Object.keys(FILES)],
    one: digests(source)["onnx/model.onnx"],
  });
  const { ".gitattributes": _, ...read } = seen.read;
  expect(read).toEqual(digests(source));
  expect(seen.listed["model.safetensors"]).toBe(digests(source)["model.safetensors"]);
  expect(seen.listed["config.json"]).toBe(
    gitBlob(await readFile(source.version.files.find(({ path }) => path === "config.json")?.blob ?? "")),
  );
  const written = repository === undefined ? undefined : hub.store.at(repository, "main");
  for (const [path, content] of Object.entries(FILES)) {
    const entry = written?.tree.get(path);
    expect(entry === undefined ? undefined : hub.store.content(entry)).toEqual(content);
  }
});

test("git-lfs pushes an object and fetches it again", async () => {
  hub.store.create(REPO, true);
  const work = join(folder, "work");
  await mkdir(work);
  const bytes = noise("by git", 70_000);
  const environment = { ...process.env, HOME: folder, GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0" };
  const git = async (...args: string[]) => (await run("git", args, { cwd: work, env: environment })).stdout;
  await git("init", "--quiet", "--initial-branch=main");
  await git("config", "user.name", "a");
  await git("config", "user.email", "a@example.org");
  await git("lfs", "install", "--local", "--skip-repo");
  await git("remote", "add", "origin", `${hub.url}/${REPO}`);
  await git("config", "lfs.url", `${hub.url}/${REPO}.git/info/lfs`);
  await git("config", "lfs.locksverify", "false");
  await git("config", `http.${hub.url}/.extraheader`, `Authorization: Bearer ${TOKEN}`);
  await writeFile(join(work, ".gitattributes"), "*.bin filter=lfs diff=lfs merge=lfs -text\n");
  await writeFile(join(work, "model.bin"), bytes);
  await git("add", ".");
  await git("commit", "--quiet", "-m", "one");
  await git("lfs", "push", "--object-id", "origin", sha256(bytes));
  expect(hub.store.objects.get(sha256(bytes))).toEqual(bytes);
  expect(hub.calls.map(({ step }) => step)).toEqual(expect.arrayContaining(["batch", "put", "verify"]) as Step[]);
  await rm(join(work, ".git", "lfs", "objects"), { recursive: true });
  await rm(join(work, "model.bin"));
  await git("lfs", "fetch", "--all", "origin");
  await git("checkout", "--", "model.bin");
  expect(await readFile(join(work, "model.bin"))).toEqual(bytes);
});
type Step = HubServer["calls"][number]["step"];

test("transformers.js loads tokenizer and int8 graph of a release, and scores as the graph says", async () => {
  const model = join(folder, "model");
  await writeModelFolder(model, { fp32: "sum", int8: "sum" });
  const file = async (path: string) => [path, await readFile(join(model, path))] as const;
  const paths = ["tokenizer.json", "onnx/model.onnx", "onnx/model_quantized.onnx"];
  const config = JSON.stringify({
    model_type: "bert",
    architectures: ["BertForSequenceClassification"],
    id2label: { 0: "relevant" },
    pad_token_id: 0,
  });
  const more = {
    "config.json": config,
    "tokenizer_config.json": '{"tokenizer_class":"BertTokenizer","model_max_length":64}',
  };
  const files = { ...Object.fromEntries(await Promise.all(paths.map(file))), ...more };
  await release({ files, twin: false }, `hub:${REPO},public`);
  Object.assign(env, { remoteHost: `${hub.url}/`, cacheDir: join(folder, "cache"), allowLocalModels: false });
  const tokenizer = await AutoTokenizer.from_pretrained(REPO);
  const loaded = await AutoModelForSequenceClassification.from_pretrained(REPO, { dtype: "q8", device: "cpu" });
  const tokens = tokenizer("query", { text_pair: "passage" });
  const { logits } = (await loaded(tokens)) as { logits: { data: Float32Array } };
  const ids = Array.from(tokens.input_ids.data as BigInt64Array, Number);
  expect(logits.data[0]).toBeCloseTo(expectedSum(ids), 4);
});
