// A release to the stand-in of the Hub: what arrives, in which order, and what a second release changes.
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { CARD, prepared, type Releasable, releasable } from "../helpers/releasable.js";
import { temporaryFolder } from "../helpers/temporary-folder.js";
import { type HubServer, startHubServer, TOKEN } from "../stand-ins/hub/server.js";

let hub: HubServer;
let source: Releasable;
const REPO = "acme/tiny";

beforeEach(async () => {
  hub = await startHubServer();
  onTestFinished(() => hub.close());
  source = await releasable(join(await temporaryFolder(), "registry"));
});

const place = () => ({ url: hub.url, token: TOKEN });
const release = async (target = `hub:${REPO}`, from = source) =>
  await (await prepared(target, from, place())).carryOut();
const repository = (name = REPO) => {
  const found = hub.store.repositories.get(name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};
/** Path to sha256 of the bytes that a client would get. */
function filesAt(revision: string, name = REPO): Record<string, number | undefined> {
  const commit = hub.store.at(repository(name), revision);
  const entries = [...(commit?.tree ?? [])].filter(([path]) => path !== ".gitattributes");
  return Object.fromEntries(entries.map(([path, entry]) => [path, hub.store.content(entry)?.length]));
}

describe("a first release", () => {
  test("makes a private repository, fills int8, then main, and tags at the very end", async () => {
    const released = await release();
    const tag = `v-${source.version.digest.slice(7, 19)}`;
    expect(repository().private).toBe(true);
    expect(filesAt("main")).toEqual({
      "README.md": CARD.length,
      "config.json": 15,
      "model.safetensors": 40_000,
      "onnx/model.onnx": 20_000,
      "onnx/model_quantized.onnx": 10_000,
      "rerank-tune.json": 26,
      "tokenizer.json": 13,
    });
    expect(filesAt("int8")).toEqual({ "config.json": 15, "onnx/model.onnx": 10_000, "tokenizer.json": 13 });
    const writes = hub.calls.filter(({ method, step }) => method !== "GET" && !["validate", "verify"].includes(step));
    expect(
      writes.map(({ step, url }) => (step === "commit" ? `commit ${url.pathname.split("/").at(-1)}` : step)),
    ).toEqual([
      "create",
      "preupload",
      "preupload",
      "batch",
      "put",
      "put",
      "put",
      "branch",
      "commit int8",
      "tag",
      "commit main",
      "tag",
    ]);
    expect([...repository().tags.keys()]).toEqual([`${tag}-int8`, tag]);
    expect(repository().tags.get(tag)).toBe(repository().branches.get("main"));
    expect(released).toEqual({
      target: `hub:${REPO}`,
      version: source.version.version,
      address: `${hub.url}/${REPO}/tree/${tag}`,
      revision: repository().branches.get("main"),
      files: 9,
      bytes_sent: 70_000 + CARD.length + 26 + 2 * (15 + 13),
      use: [
        `hf download ${REPO} --revision ${repository().branches.get("main")}`,
        `text-embeddings-router --model-id ${REPO} --revision ${repository().branches.get("int8")}`,
        expect.stringContaining(`CrossEncoder("${REPO}", revision="${repository().branches.get("main")}")`),
      ],
    });
  });

  test("asks for large files in parts where storage wants them so", async () => {
    hub.partBytes = 7_000;
    await release();
    expect(hub.calls.filter(({ step }) => step === "part").length).toBe(Math.ceil(40 / 7) + Math.ceil(20 / 7) + 2);
    expect(filesAt("main")["model.safetensors"]).toBe(40_000);
  });

  test("sends the token to the hub alone, and storage its own headers", async () => {
    await release();
    const storage = hub.calls.filter(({ step }) => ["put", "part", "complete"].includes(step));
    expect(storage.length).toBe(3);
    expect(storage.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });

  test("lists files over several pages of the tree", async () => {
    hub.pageEntries = 2;
    await release();
    expect(Object.keys(filesAt("main")).length).toBe(7);
  });
});

describe("the plan", () => {
  test("says what will happen, and sends nothing", async () => {
    const { plan } = await prepared(`hub:${REPO}`, source, place());
    const tag = `v-${source.version.digest.slice(7, 19)}`;
    expect(plan.steps.map(({ does }) => does)).toEqual([
      `create the private repository ${REPO}`,
      "commit to int8: 3 files, then read back",
      `tag ${tag}-int8`,
      "commit to main: 7 files, then read back",
      `tag ${tag}`,
    ]);
    expect(plan.bytes).toBe(70_000 + CARD.length + 26 + 15 + 13);
    expect(plan.notes.slice(0, 2)).toEqual(["as acme-bot, with a token of role write", "write of acme"]);
    expect(hub.calls.filter(({ method, step }) => method !== "GET" && step !== "validate")).toEqual([]);
    expect(hub.store.repositories.size).toBe(0);
  });

  test("of what is released already sends nothing and changes nothing", async () => {
    await release();
    const before = hub.arrived.length;
    const again = await prepared(`hub:${REPO}`, source, place());
    expect(again.plan).toMatchObject({
      bytes: 0,
      steps: [{ does: expect.stringContaining("released already") as string }],
    });
    expect(await again.carryOut()).toMatchObject({ files: 0, bytes_sent: 0 });
    expect(hub.arrived.length).toBe(before);
    expect(hub.store.history(REPO, "main").length).toBe(2);
  });
});

describe("an update", () => {
  test("sends what changed, takes away what is gone, and keeps the first release readable by its tag", async () => {
    await release();
    const other = await releasable(join(await temporaryFolder(), "registry"), {
      seed: "two",
      files: { "tokenizer.json": undefined, "vocab.txt": "a\nb\n" },
    });
    const { plan, carryOut } = await prepared(`hub:${REPO}`, other, place());
    expect(plan.notes).toContain("taken away from main: tokenizer.json");
    await carryOut();
    expect(Object.keys(filesAt("main"))).toContain("vocab.txt");
    expect(Object.keys(filesAt("main"))).not.toContain("tokenizer.json");
    expect(Object.keys(filesAt(`v-${source.version.digest.slice(7, 19)}`))).toContain("tokenizer.json");
    expect(repository().tags.size).toBe(4);
  });

  test("back to the release before moves main and leaves its tag where it was", async () => {
    const { revision } = await release();
    const other = await releasable(join(await temporaryFolder(), "registry"), { seed: "two" });
    await release(`hub:${REPO}`, other);
    const arrived = hub.arrived.length;
    await release();
    expect(hub.arrived.length).toBe(arrived);
    expect(filesAt("main")).toEqual(filesAt(revision));
    expect(repository().tags.get(`v-${source.version.digest.slice(7, 19)}`)).toBe(revision);
  });

  test("points the superseded repository to the new one, and touches nothing else of it", async () => {
    await release("hub:acme/old");
    const before = filesAt("main", "acme/old");
    await release(`hub:${REPO},replaces=acme/old`);
    const card = hub.store.at(repository("acme/old"), "main")?.tree.get("README.md")?.content?.toString();
    expect(card).toBe(CARD.replace("license: apache-2.0", "license: apache-2.0\nnew_version: acme/tiny"));
    expect(Object.keys(filesAt("main", "acme/old"))).toEqual(Object.keys(before));
    await release(`hub:${REPO},replaces=acme/old`);
    expect(hub.store.history("acme/old", "main").length).toBe(3);
  });
});
