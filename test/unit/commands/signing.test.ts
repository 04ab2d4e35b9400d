import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { pullFromRegistry, showRegistry, verifyRegistry } from "../../../src/commands/registry.js";
import { newKeys, signVersion, writeEvidence } from "../../../src/commands/sign.js";
import { verifyFolderSignature } from "../../../src/commands/verify-signature.js";
import { openRegistry } from "../../../src/registry/index.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

afterEach(() => vi.unstubAllEnvs());

const CONTEXT = {
  signal: new AbortController().signal,
  emit: () => undefined,
  home: "",
  python: () => Promise.reject(),
};
const PLAIN = { dim: String, bold: String } as never;

/** A registry with one version, a key pair, and the version pulled. */
async function setUp() {
  const root = await temporaryFolder();
  const registry = join(root, "registry");
  const files = [
    { path: "config.json", source: { content: "{}" } },
    { path: "onnx/model.onnx", source: { content: "weights" } },
  ];
  const open = await openRegistry(registry, { create: true });
  await open.publishVersion({ name: "tiny", alias: "latest", files, config: { descriptor: {}, config: {} } });
  const key = join(root, "key.pem");
  await newKeys(key, {});
  const folder = join(root, "pulled");
  await open.pull("tiny", folder);
  return { root, key, pub: `${key}.pub`, folder, flags: { artifacts: root, registry } };
}

const verifyVersion = (flags: { artifacts: string; registry: string }, ...key: string[]) =>
  verifyRegistry("tiny", { ...flags, signature: true, key }, CONTEXT);

describe("keys new", () => {
  test("makes a private key for its owner alone, and never writes over one", async () => {
    const file = join(await temporaryFolder(), "deep", "key.pem");
    const made = await newKeys(file, {});
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(`${file}.pub`)).mode & 0o777).toBe(0o644);
    expect(made.text(PLAIN)).toContain("not encrypted");
    expect(JSON.stringify(made.data)).not.toContain("PRIVATE KEY-----");
    await expect(newKeys(file, {})).rejects.toMatchObject({ code: "NOT_WRITABLE" });
    await rm(file);
    await expect(newKeys(file, {})).rejects.toMatchObject({ message: expect.stringContaining("key.pem.pub is there") });
    await expect(stat(file)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("encrypts with the password of a file or a variable", async () => {
    const { root, flags } = await setUp();
    const secret = join(root, "password");
    await writeFile(secret, "from a file\n");
    await newKeys(join(root, "one.pem"), { password: secret });
    vi.stubEnv("TEST_PASSWORD", "from a file");
    const sign = (password?: string) =>
      signVersion("tiny", { ...flags, key: join(root, "one.pem"), ...(password === undefined ? {} : { password }) });
    expect((await sign("env:TEST_PASSWORD")).data).toMatchObject({ added: 1 });
    await expect(sign()).rejects.toMatchObject({
      code: "KEY_UNUSABLE",
      hint: expect.stringContaining("RERANK_TUNE_KEY_PASSWORD"),
    });
    vi.stubEnv("RERANK_TUNE_KEY_PASSWORD", "from a file");
    expect((await sign()).data).toMatchObject({ added: 0 });
    vi.stubEnv("RERANK_TUNE_KEY_PASSWORD", "another");
    await expect(sign()).rejects.toMatchObject({
      code: "KEY_UNUSABLE",
      message: expect.stringContaining("does not open one.pem"),
    });
  });
});

describe("sign, then verify", () => {
  test("a version and its pulled folder are verified by the public key", async () => {
    const { key, pub, folder, flags } = await setUp();
    const signed = await signVersion("tiny", { ...flags, key });
    expect(signed.data).toMatchObject({ added: 1 });
    expect((await verifyVersion(flags, pub)).text(PLAIN)).toContain("verified: tiny@sha256:");
    expect((await writeEvidence("tiny", folder, { ...flags, key: [pub] })).data).toMatchObject({
      files: ["model.sig"],
    });
    const verified = await verifyFolderSignature(folder, { signature: true, key: [pub] });
    expect(verified.data).toMatchObject({ name: "tiny", files: 2, signer: "key.pem.pub", key_id: signed.essential });
  });

  test("a pull with a key writes what that key signed, and nothing else", async () => {
    const { root, key, pub, flags } = await setUp();
    const target = join(root, "checked");
    const pull = (...keys: string[]) => pullFromRegistry("tiny", target, { ...flags, key: keys });
    await expect(pull(pub)).rejects.toMatchObject({
      code: "SIGNATURE_INVALID",
      message: expect.stringContaining("is not signed"),
    });
    await newKeys(join(root, "other.pem"), {});
    await signVersion("tiny", { ...flags, key: join(root, "other.pem") });
    await expect(pull(pub)).rejects.toMatchObject({
      code: "SIGNATURE_INVALID",
      message: expect.stringContaining("No signature of tiny@sha256"),
    });
    await expect(stat(target)).rejects.toMatchObject({ code: "ENOENT" });
    await signVersion("tiny", { ...flags, key });
    const pulled = await pull(pub);
    expect(pulled.data).toMatchObject({ files: 2, signer: "key.pem.pub" });
    expect(pulled.text(PLAIN)).toContain("as key.pem.pub signed it");
    expect(await readFile(join(target, "onnx/model.onnx"), "utf8")).toBe("weights");
  });

  test("evidence that was cut off while it was written is written again", async () => {
    const { key, pub, folder, flags } = await setUp();
    await signVersion("tiny", { ...flags, key });
    const left = join(folder, `model.sig.partial-999999999@${hostname()}.01234567-89ab-cdef-0123-456789abcdef`);
    await writeFile(left, '{"mediaType":');
    await expect(verifyFolderSignature(folder, { signature: true, key: [pub] })).rejects.toMatchObject({
      code: "SIGNATURE_INVALID",
    });
    await writeEvidence("tiny", folder, { ...flags, key: [pub] });
    await writeFile(left, "whole, and cut off behind its last step");
    await writeEvidence("tiny", folder, { ...flags, key: [pub] });
    expect((await verifyFolderSignature(folder, { signature: true, key: [pub] })).data).toMatchObject({ files: 2 });
    expect((await readdir(folder)).sort()).toEqual(["config.json", "model.sig", "onnx"]);
  });

  test("keys come from variables too", async () => {
    const { key, pub, folder, flags } = await setUp();
    vi.stubEnv("SIGNING", await readFile(key, "utf8"));
    vi.stubEnv("TRUSTED", await readFile(pub, "utf8"));
    await signVersion("tiny", { ...flags, key: "env:SIGNING" });
    await writeEvidence("tiny", folder, { ...flags, key: [] });
    expect((await verifyFolderSignature(folder, { signature: true, key: ["env:TRUSTED"] })).data).toMatchObject({
      signer: "env:TRUSTED",
    });
    await expect(signVersion("tiny", { ...flags, key: "env:NOT_SET" })).rejects.toMatchObject({
      code: "KEY_UNUSABLE",
      message: expect.stringContaining("NOT_SET"),
    });
  });

  test("a key itself in the place of its file is refused, and is in no message", async () => {
    const { key, flags } = await setUp();
    const pem = await readFile(key, "utf8");
    const failure = await signVersion("tiny", { ...flags, key: pem }).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: "KEY_UNUSABLE" });
    expect(String(failure)).not.toContain(pem.split("\n")[1]);
  });

  test("every difference of a folder is listed", async () => {
    const { key, pub, folder, flags } = await setUp();
    await signVersion("tiny", { ...flags, key });
    await writeEvidence("tiny", folder, { ...flags, key: [] });
    await rm(join(folder, "config.json"));
    await chmod(join(folder, "onnx/model.onnx"), 0o644);
    await writeFile(join(folder, "onnx/model.onnx"), "other");
    await writeFile(join(folder, "modeling.py"), "import os");
    await expect(verifyFolderSignature(folder, { signature: true, key: [pub] })).rejects.toMatchObject({
      code: "SIGNATURE_INVALID",
      exitCode: 3,
      problems: [
        { message: "config.json is missing" },
        { message: "onnx/model.onnx was changed" },
        { message: "modeling.py was not signed" },
      ],
    });
  });

  test("a changed blob is found though its name and the signature are right", async () => {
    const { key, pub, flags } = await setUp();
    await signVersion("tiny", { ...flags, key });
    const { files } = await (await openRegistry(flags.registry)).frozen("tiny");
    const blob = files.find(({ path }) => path === "onnx/model.onnx")?.blob ?? "";
    await chmod(blob, 0o644);
    await writeFile(blob, "WEIGHTS");
    await expect(verifyVersion(flags, pub)).rejects.toMatchObject({
      code: "SIGNATURE_INVALID",
      problems: [{ message: "onnx/model.onnx was changed" }],
    });
  });

  test("with no signature, the wrong key or no key, it is said what to do", async () => {
    const { root, key, pub, folder, flags } = await setUp();
    await expect(verifyVersion(flags, pub)).rejects.toMatchObject({
      code: "SIGNATURE_INVALID",
      hint: expect.stringContaining("registry sign"),
    });
    await expect(verifyFolderSignature(folder, { signature: true, key: [pub] })).rejects.toMatchObject({
      hint: expect.stringContaining("registry evidence"),
    });
    await signVersion("tiny", { ...flags, key });
    await newKeys(join(root, "other.pem"), {});
    await expect(verifyVersion(flags, join(root, "other.pem.pub"))).rejects.toMatchObject({
      code: "SIGNATURE_INVALID",
      message: expect.stringContaining("No signature"),
    });
    await expect(verifyVersion(flags)).rejects.toMatchObject({ code: "USAGE", hint: expect.stringContaining("--key") });
    await expect(verifyFolderSignature(folder, { signature: true })).rejects.toMatchObject({ code: "USAGE" });
    await expect(verifyRegistry("tiny", flags, CONTEXT)).rejects.toMatchObject({ code: "USAGE" });
  });

  test("after a rotation either key verifies, and a ring says when each counts", async () => {
    const { root, key, pub, flags } = await setUp();
    await signVersion("tiny", { ...flags, key });
    const next = join(root, "next.pem");
    await newKeys(next, {});
    await signVersion("tiny", { ...flags, key: next });
    for (const one of [pub, `${next}.pub`]) expect((await verifyVersion(flags, one)).essential).toBe("verified");
    const ring = join(root, "ring.json");
    const pem = async (file: string) => await readFile(file, "utf8");
    const keys = [{ name: "2025", public_key: await pem(pub), not_after: "2025-12-31" }];
    await writeFile(ring, JSON.stringify({ schema: 1, keys }));
    await expect(verifyVersion(flags, ring)).rejects.toMatchObject({
      problems: [{ message: expect.stringContaining("until 2025-12-31") }, {}],
    });
    const asOf = await verifyRegistry("tiny", { ...flags, signature: true, key: [ring], at: "2025-06-01" }, CONTEXT);
    expect(asOf.data).toMatchObject({ signer: "2025" });
    const both = [...keys, { name: "2026", public_key: await pem(`${next}.pub`), not_before: "2026-01-01" }];
    await writeFile(ring, JSON.stringify({ schema: 1, keys: both }));
    const now = await verifyRegistry("tiny", { ...flags, signature: true, key: [ring], at: "2026-06-01" }, CONTEXT);
    expect(now.data).toMatchObject({ signer: "2026" });
    await expect(
      verifyRegistry("tiny", { ...flags, signature: true, key: [ring], at: "soon" }, CONTEXT),
    ).rejects.toMatchObject({ code: "USAGE" });
  });
});

describe("show and evidence", () => {
  test("show lists what is beside a version and by whom", async () => {
    const { key, pub, flags } = await setUp();
    await signVersion("tiny", { ...flags, key });
    expect((await showRegistry("tiny", flags)).text(PLAIN)).toMatch(/evidence\n\s+signature\s+signed\s/);
    expect((await showRegistry("tiny", { ...flags, key: [pub] })).text(PLAIN)).toMatch(
      /signature\s+verified by key\.pem\.pub/,
    );
  });

  test("evidence is not written over something else, and the same again is no fault", async () => {
    const { root, key, pub, flags } = await setUp();
    await signVersion("tiny", { ...flags, key });
    const target = join(root, "audit");
    for (let twice = 0; twice < 2; twice += 1) await writeEvidence("tiny", target, { ...flags, key: [] });
    await mkdir(join(root, "taken"));
    await writeFile(join(root, "taken", "model.sig"), "mine");
    await expect(writeEvidence("tiny", join(root, "taken"), { ...flags, key: [pub] })).rejects.toMatchObject({
      code: "NOT_WRITABLE",
    });
    expect(await readFile(join(root, "taken", "model.sig"), "utf8")).toBe("mine");
  });
});
