import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hashText } from "../../../src/artifacts/hash.js";
import { BUNDLE_TYPE, signedBundle } from "../../../src/evidence/bundle.js";
import type { TrustedKey } from "../../../src/evidence/key-ring.js";
import { newKeyPair, readSigningKey, type SigningKey } from "../../../src/evidence/keys.js";
import { sbomText } from "../../../src/evidence/sbom.js";
import { statementText } from "../../../src/evidence/statement.js";
import { testResultStatement } from "../../../src/evidence/test-result.js";
import {
  evidenceFiles,
  evidenceOf,
  openRegistry,
  REPORT_TYPE,
  type Registry,
  sbomReferrer,
  signatures,
  statementReferrer,
  subjectsOf,
} from "../../../src/registry/index.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

const KEY = readSigningKey(newKeyPair().private_pem, "key");
const trusted = (key: SigningKey, more: Partial<TrustedKey> = {}): TrustedKey[] => [
  { ...key, name: "the signer", ...more },
];

async function withVersion(content = "weights"): Promise<Registry> {
  const registry = await openRegistry(join(await temporaryFolder(), "registry"), { create: true });
  await publish(registry, content);
  return registry;
}

async function publish(registry: Registry, content: string): Promise<string> {
  const files = [
    { path: "config.json", source: { content: "{}" } },
    { path: "onnx/model.onnx", source: { content } },
  ];
  const config = { descriptor: { name: "tiny" }, config: { format: "onnx" } };
  return (await registry.publishVersion({ name: "tiny", alias: "latest", files, config })).version;
}

/** Puts everything there is beside a version: gates, a bill, a report. */
async function document(registry: Registry): Promise<void> {
  const version = await registry.frozen("tiny");
  const gates = testResultStatement(subjectsOf(version), [], {}, hashText("report"));
  const bill = sbomText({ environment: "npm", rerank_tune: "0.1.0", components: [], properties: {} });
  await registry.attach("tiny", [
    statementReferrer(gates),
    sbomReferrer("npm", bill),
    { artifactType: REPORT_TYPE, content: "report" },
  ]);
}

async function sign(registry: Registry, key = KEY): Promise<number> {
  const version = await registry.frozen("tiny");
  return (await registry.attach("tiny", signatures(version, await evidenceOf(version), [], key))).added;
}

const states = async (registry: Registry, keys: TrustedKey[] = [], at?: Date) =>
  (await evidenceOf(await registry.frozen("tiny"), keys, at)).map(({ kind, state }) => `${kind} ${state}`);

describe("attaching", () => {
  test("puts a document beside a version, whose digest and aliases stay, and the registry is sound", async () => {
    const registry = await withVersion();
    const before = await registry.show("tiny");
    const log = await readFile(join(registry.root, "reflog.ndjson"), "utf8");
    const { added, version } = await registry.attach("tiny", [{ artifactType: REPORT_TYPE, content: "1" }]);
    expect({ added, version }).toEqual({ added: 1, version: before.version });
    expect(await registry.show("tiny")).toEqual({ ...before, reports: [expect.objectContaining({ content: 1 })] });
    const lines = (await readFile(join(registry.root, "reflog.ndjson"), "utf8")).trimEnd().split("\n");
    expect(`${lines[0]}\n`).toBe(log);
    expect(lines.slice(1).map((line) => JSON.parse(line))).toMatchObject([{ event: "attach", alias: null }]);
    expect(await registry.verify()).toMatchObject({ problems: [] });
  });

  test("the same again adds nothing, and twice in one call is once", async () => {
    const registry = await withVersion();
    const report = { artifactType: REPORT_TYPE, content: "1" };
    expect(await registry.attach("tiny", [report, report])).toMatchObject({ added: 1 });
    const index = await readFile(join(registry.root, "index.json"), "utf8");
    expect(await registry.attach("tiny", [report])).toMatchObject({ added: 0 });
    expect(await readFile(join(registry.root, "index.json"), "utf8")).toBe(index);
  });

  test("what many attach at once is all there", async () => {
    const registry = await withVersion();
    const contents = Array.from({ length: 8 }, (_, at) => `${at}`);
    await Promise.all(contents.map((content) => registry.attach("tiny", [{ artifactType: REPORT_TYPE, content }])));
    expect((await registry.show("tiny")).reports.map(({ content }) => content).sort()).toEqual(contents.map(Number));
  });

  test("a version that is not there, or damaged, gets nothing", async () => {
    const registry = await withVersion();
    await expect(registry.attach("other", [])).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
    const { digest } = await registry.show("tiny");
    const blob = join(registry.root, "blobs", "sha256", digest.slice(7));
    await chmod(blob, 0o644);
    await writeFile(blob, "{}");
    await expect(registry.attach("tiny", [])).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
  });

  test("what is made of the digest appears with the version in one step", async () => {
    const registry = await withVersion();
    const seen: unknown[] = [];
    const published = await registry.publishVersion({
      name: "tiny",
      alias: "latest",
      files: [{ path: "config.json", source: { content: "[]" } }],
      config: { descriptor: {}, config: {} },
      evidence: async (version) => {
        seen.push(version, (await registry.show("tiny")).digest === version.digest);
        return [{ artifactType: REPORT_TYPE, content: JSON.stringify(version.digest) }];
      },
    });
    const { digest } = published;
    expect(seen).toEqual([{ name: "tiny", digest, files: [{ path: "config.json", sha256: hashText("[]") }] }, false]);
    expect((await registry.show("tiny")).reports).toMatchObject([{ content: digest }]);
  });
});

describe("signing", () => {
  test("signs the files and each document but the report, which the documents name; the version stays", async () => {
    const registry = await withVersion();
    await document(registry);
    const { digest } = await registry.show("tiny");
    expect(await sign(registry)).toBe(3);
    expect((await registry.show("tiny")).digest).toBe(digest);
    expect(await states(registry)).toEqual([
      ...["gates unsigned", "sbom unsigned", "report unsigned"],
      ...["signature signed", "gates signed", "sbom signed"],
    ]);
    expect((await states(registry, trusted(KEY))).slice(3)).toEqual([
      "signature verified",
      "gates verified",
      "sbom verified",
    ]);
    expect(await registry.verify()).toMatchObject({ problems: [] });
  });

  test("the same key again signs only what is new, another key signs all", async () => {
    const registry = await withVersion();
    expect(await sign(registry)).toBe(1);
    expect(await sign(registry)).toBe(0);
    await document(registry);
    expect(await sign(registry)).toBe(2);
    const next = readSigningKey(newKeyPair().private_pem, "next");
    expect(await sign(registry, next)).toBe(3);
    const found = await evidenceOf(await registry.frozen("tiny"), trusted(next));
    expect(found.filter(({ state }) => state === "verified").map(({ key_id }) => key_id)).toEqual([
      next.id,
      next.id,
      next.id,
    ]);
    expect(found.filter(({ state }) => state === "signed").map(({ reason }) => reason)).toEqual(
      Array(3).fill("no key that you trust made this signature"),
    );
  });

  test("a revoked or ended key is refused with its reason, as of a day before its end it is not", async () => {
    const registry = await withVersion();
    await sign(registry);
    expect(await states(registry, trusted(KEY, { revoked: "lost" }))).toEqual(["signature refused"]);
    expect(await states(registry, trusted(KEY, { not_after: "2020-01-01" }))).toEqual(["signature refused"]);
    expect(await states(registry, trusted(KEY, { not_after: "2020-01-01" }), new Date("2019-06-01"))).toEqual([
      "signature verified",
    ]);
  });

  test("a signature, a statement or a bill of another version is refused", async () => {
    const registry = await withVersion();
    await document(registry);
    await sign(registry);
    const there = await evidenceOf(await registry.frozen("tiny"));
    await publish(registry, "other weights");
    const foreign = there.filter(({ kind }) => kind !== "report" && kind !== "sbom");
    await registry.attach(
      "tiny",
      foreign.map(({ content, state }) => ({
        artifactType: state === "signed" ? BUNDLE_TYPE : "application/vnd.in-toto+json",
        content,
      })),
    );
    const found = await evidenceOf(await registry.frozen("tiny"), trusted(KEY));
    expect(found.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
      "gates refused",
      "signature refused",
      "gates refused",
    ]);
    expect(found.map(({ reason }) => reason)).toEqual([
      "it is about another version",
      "it is about other files: onnx/model.onnx was changed",
      "it is about another version",
    ]);
  });

  test("what cannot be read is refused and hides nothing", async () => {
    const registry = await withVersion();
    await registry.attach("tiny", [
      { artifactType: BUNDLE_TYPE, content: "{" },
      { artifactType: BUNDLE_TYPE, content: signedBundle("no statement", KEY) },
      { artifactType: "application/vnd.in-toto+json", content: "{}" },
      { artifactType: "application/x-other", content: "x" },
    ]);
    await sign(registry);
    expect(await states(registry, trusted(KEY))).toEqual([
      ...["signature refused", "signature refused", "statement refused", "other unsigned", "signature verified"],
    ]);
  });

  test("a damaged document is damage of the registry", async () => {
    const registry = await withVersion();
    await registry.attach("tiny", [{ artifactType: REPORT_TYPE, content: "report" }]);
    const blob = join(registry.root, "blobs", "sha256", hashText("report"));
    await chmod(blob, 0o644);
    await writeFile(blob, "rosy report");
    await expect(states(registry)).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
  });

  // Reading this file of Linux at its beginning fails with EIO.
  test.skipIf(process.platform !== "linux")("a disk that fails is not called damage", async () => {
    const registry = await withVersion();
    await document(registry);
    const version = { ...(await registry.frozen("tiny")), blob: () => "/proc/self/mem" };
    await expect(evidenceOf(version)).rejects.toMatchObject({ code: "FILE_SYSTEM_FAILED" });
  });

  test("as files the signed form stands for the unsigned one, the newest of each, and nothing that is refused", async () => {
    const registry = await withVersion();
    await document(registry);
    const unsigned = evidenceFiles(await evidenceOf(await registry.frozen("tiny")));
    expect(unsigned.map(({ path }) => path)).toEqual(["gates.json", "sbom-npm.json"]);
    await sign(registry);
    const next = readSigningKey(newKeyPair().private_pem, "next");
    await sign(registry, next);
    const found = await evidenceOf(await registry.frozen("tiny"), trusted(next));
    const files = new Map(evidenceFiles(found).map(({ path, content }) => [path, content]));
    expect([...files.keys()]).toEqual(["gates.json", "sbom-npm.json", "model.sig"]);
    const newest = found.filter(({ state }) => state === "verified").map(({ content }) => content);
    expect([...files.values()].sort()).toEqual(newest.sort());
  });
});

test("a statement of any other kind is signed and listed too", async () => {
  const registry = await withVersion();
  const version = await registry.frozen("tiny");
  const said = {
    ...testResultStatement(subjectsOf(version), [], {}, ""),
    predicateType: "https://in-toto.io/attestation/release/v0.1",
  };
  await registry.attach("tiny", [{ artifactType: "application/vnd.in-toto+json", content: statementText(said) }]);
  expect(await sign(registry)).toBe(2);
  expect(await states(registry, trusted(KEY))).toContain("statement verified");
});
