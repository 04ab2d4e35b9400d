// Real readers of the Hub over three routes: a folder, the Hub's cache layout, the server. Same bytes, same scores as the golden pairs.
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashFile, listFiles } from "../../src/artifacts/hash.js";
import { goldenPairsSchema } from "../../src/model-folder/layout.js";
import { openRegistry } from "../../src/registry/index.js";
import { buildView } from "../../src/registry/views/index.js";
import { serving } from "../helpers/running-server.js";
import { MAX_LENGTH, writePackage } from "../helpers/scorer-package.js";

const READERS = resolve(import.meta.dirname, "../e2e");
/** Graphs of sums of a few dozen exact numbers: every runtime gives the same to the last bits of float32. */
const TOLERANCE = 1e-5;

let home: string;
let root: string;
let revision: string;
let files: Record<string, string>;
let pairs: [string, string][];
/** Expected logits; each variant has another graph, so that none is taken for another. */
let expected: Record<"fp32" | "int8" | "fp16", number[]>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "rerank-tune-readers-"));
  const folder = join(home, "package");
  await writePackage(folder, { fp32: "sum", int8: "segments", fp16: "reversed" });
  await rm(join(folder, "rerank-tune.json"));
  const config = {
    model_type: "bert",
    architectures: ["BertForSequenceClassification"],
    id2label: { 0: "LABEL_0" },
    pad_token_id: 0,
  };
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  const tokenizer = { tokenizer_class: "PreTrainedTokenizerFast", model_max_length: MAX_LENGTH, pad_token: "[PAD]" };
  await writeFile(join(folder, "tokenizer_config.json"), JSON.stringify(tokenizer));
  await copyFile(join(folder, "golden_pairs.json"), join(home, "golden.json"));
  const paths = await listFiles(folder);
  files = Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await hashFile(join(folder, path))] as const)),
  );
  root = join(home, "registry");
  const registry = await openRegistry(root, { create: true });
  const published = await registry.publishVersion({
    name: "reranker",
    alias: "latest",
    files: paths.map((path) => ({ path, source: join(folder, path) })),
    config: { descriptor: { name: "reranker" }, config: { format: "onnx" } },
  });
  revision = published.digest.slice(7, 47);
  for (const kind of ["hub", "folders"] as const)
    await buildView(root, join(home, kind), { kind, models: [], all: false, org: "local", link: false });
  const golden = goldenPairsSchema.parse(JSON.parse(await readFile(join(home, "golden.json"), "utf8")));
  // Longer ones are cut, which the tokenizers of Node and Python do differently, and both take an empty passage for none.
  const short = golden.pairs.filter(
    ({ input_ids, query, passage }) => input_ids.length < MAX_LENGTH && query !== "" && passage !== "",
  );
  pairs = short.map(({ query, passage }) => [query, passage]);
  const second = (types: readonly number[] | undefined) => (types ?? []).reduce((sum, type) => sum + type, 0);
  expected = {
    fp32: short.map(({ logit }) => logit),
    int8: short.map(({ logit, token_type_ids }) => logit + 10 * second(token_type_ids)),
    fp16: short.map(({ logit }) => -logit),
  };
});
afterAll(() => rm(home, { recursive: true, force: true }));

function expectScores(found: Record<string, number[]>, names: Record<keyof typeof expected, string>): void {
  for (const [variant, logits] of Object.entries(expected)) {
    const scores = found[names[variant as keyof typeof names]] ?? [];
    const largest = Math.max(...logits.map((logit, index) => Math.abs(logit - (scores[index] ?? Number.NaN))));
    expect(largest, `${variant}: largest difference over ${logits.length} pairs`).toBeLessThan(TOLERANCE);
  }
}

type PythonRoute = { files: Record<string, string>; scores: Record<string, number[]>; model_type: string };

async function python(routes: { name: string; id: string; revision?: string }[], variables: Record<string, string>) {
  const job = join(home, `job-${routes[0]?.name}.json`);
  await writeFile(job, JSON.stringify({ routes, pairs }));
  const executable = process.env.RERANK_TUNE_TEST_PYTHON ?? "";
  const env = {
    HF_HOME: join(home, `home-${routes[0]?.name}`),
    HF_TOKEN: "",
    HF_HUB_DISABLE_TELEMETRY: "1",
    NO_PROXY: "127.0.0.1",
    ...variables,
  };
  const { stdout } = await execa(executable, [join(READERS, "hub_readers.py"), job], { env });
  return JSON.parse(stdout) as Record<string, PythonRoute> & { seen: unknown; cached: unknown };
}

const PYTHON_NAMES = { fp32: "fp32", int8: "int8", fp16: "fp16" };

describe("the golden pairs", () => {
  test("are enough to tell the graphs apart", () => {
    expect(pairs.length).toBeGreaterThan(10);
    expect(Math.max(...expected.fp32)).not.toBeCloseTo(Math.max(...expected.int8), 1);
  });
});

describe("huggingface_hub, transformers and onnxruntime in Python", () => {
  test("get the same bytes and scores from the server", { timeout: 300_000 }, async () => {
    const server = await serving(root);
    const routes = [
      { name: "alias", id: "local/reranker" },
      { name: "pinned", id: "local/reranker", revision },
      { name: "bare", id: "reranker", revision: "latest" },
    ];
    const found = await python(routes, { HF_ENDPOINT: server.url });
    for (const { name } of routes) {
      expect(found[name]?.files, name).toEqual(files);
      expect(found[name]?.model_type).toBe("bert");
      expectScores(found[name]?.scores ?? {}, PYTHON_NAMES);
    }
    expect(found.seen).toEqual({
      verified: [Object.keys(files).length, 0, 0, 0],
      models: ["local/reranker"],
      branches: ["main", "latest"],
      tree: [...Object.keys(files), "onnx"].sort(),
      exists: [false, false, false],
      sha: revision,
    });
    expect(found.cached).toEqual(expect.arrayContaining([["local/reranker", [revision]]]));
    expect(server.log.filter(({ status }) => status >= 500)).toEqual([]);
    expect(server.log.length).toBeGreaterThan(30);
  });

  test("get them offline from the cache layout and from a plain folder", { timeout: 300_000 }, async () => {
    const routes = [
      { name: "hub", id: "local/reranker" },
      { name: "hub-alias", id: "local/reranker", revision: "latest" },
      { name: "hub-pinned", id: "local/reranker", revision },
      { name: "folder", id: join(home, "folders", "reranker", "latest") },
    ];
    const found = await python(routes, { HF_HUB_CACHE: join(home, "hub"), HF_HUB_OFFLINE: "1" });
    for (const { name } of routes) {
      expect(found[name]?.files, name).toEqual(files);
      expectScores(found[name]?.scores ?? {}, PYTHON_NAMES);
    }
  });
});

describe("@huggingface/hub and transformers.js in Node", () => {
  test("get the same bytes and scores over all three routes", { timeout: 300_000 }, async () => {
    const server = await serving(root);
    const job = join(home, "job-node.json");
    const content = {
      endpoint: server.url,
      cache: join(home, "node-cache"),
      id: "local/reranker",
      revision,
      folders: { local: join(home, "folders"), name: "reranker/latest" },
      snapshot: join(home, "hub", "models--local--reranker", "snapshots", revision),
      pairs,
    };
    await writeFile(job, JSON.stringify(content));
    const { stdout } = await execa(process.execPath, [join(READERS, "hub_readers.mjs"), job]);
    type Route = { scores: Record<string, number[]> };
    const found = JSON.parse(stdout.split("\n").at(-1) ?? "") as {
      seen: unknown;
      serve: Route & { files: unknown; snapshot: unknown };
      folders: Route;
      hub: Route;
    };
    expect(found.serve.files).toEqual(files);
    expect(found.serve.snapshot).toEqual(files);
    for (const route of [found.serve, found.folders, found.hub])
      expectScores(route.scores, { fp32: "fp32", int8: "q8", fp16: "fp16" });
    const { length } = await readFile(join(home, "package", "onnx", "model.onnx"));
    expect(found.seen).toEqual({ models: ["local/reranker"], sha: revision, missing: null, size: length });
    expect(server.log.filter(({ status }) => status >= 500)).toEqual([]);
  });
});
