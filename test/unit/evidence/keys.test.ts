import { execFileSync } from "node:child_process";
import { createHash, generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { keyObjection, readTrustedKeys } from "../../../src/evidence/key-ring.js";
import { newKeyPair, readSigningKey, readVerifyingKey } from "../../../src/evidence/keys.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

const unusable = (message: RegExp) =>
  expect.objectContaining({ code: "KEY_UNUSABLE", message: expect.stringMatching(message) });
const pem = (pair: { privateKey: { export(options: object): string | Buffer } }): string =>
  pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();

describe("a new key pair", () => {
  test("is P-256, and its name is the digest of the public key as openssl writes it", async () => {
    const { private_pem, public_pem, id } = newKeyPair();
    const file = join(await temporaryFolder(), "key.pub");
    await writeFile(file, public_pem);
    const der = execFileSync("openssl", ["pkey", "-pubin", "-in", file, "-outform", "DER"]);
    expect(createHash("sha256").update(der).digest("hex")).toBe(id);
    expect(execFileSync("openssl", ["pkey", "-pubin", "-in", file, "-text", "-noout"], { encoding: "utf8" })).toContain(
      "P-256",
    );
    expect(readSigningKey(private_pem, "key").id).toBe(id);
    expect(readVerifyingKey(public_pem, "key")).toMatchObject({ id, digest: "sha256" });
  });

  test("with a password opens with that password alone", () => {
    const { private_pem, id } = newKeyPair("correct horse");
    expect(private_pem).toContain("ENCRYPTED");
    expect(readSigningKey(private_pem, "key", "correct horse").id).toBe(id);
    expect(() => readSigningKey(private_pem, "key", "wrong")).toThrow(unusable(/password does not open key/));
    expect(() => readSigningKey(private_pem, "key")).toThrow(unusable(/encrypted and no password/));
  });

  test("opens where openssl wrote it, in the older form and encrypted in the older way", async () => {
    const file = join(await temporaryFolder(), "key.pem");
    execFileSync("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", file]);
    const plain = execFileSync("openssl", ["ec", "-in", file], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const old = execFileSync("openssl", ["ec", "-in", file, "-aes256", "-passout", "pass:abc"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    expect(plain).toContain("BEGIN EC PRIVATE KEY");
    expect(readSigningKey(old, "key", "abc").id).toBe(readSigningKey(plain, "key").id);
    expect(() => readSigningKey(old, "key")).toThrow(unusable(/encrypted and no password/));
  });
});

describe("a key that does not sign models", () => {
  const P384 = generateKeyPairSync("ec", { namedCurve: "secp384r1" });
  test.each([
    ["of another curve", pem(P384), /ec secp384r1.*P-256/],
    ["of RSA", pem(generateKeyPairSync("rsa", { modulusLength: 2048 })), /kind rsa/],
    ["of Ed25519", pem(generateKeyPairSync("ed25519")), /kind ed25519/],
    ["that is public", newKeyPair().public_pem, /no private key/],
    ["that is no key", "hello", /no private key/],
    ["that is damaged", newKeyPair().private_pem.replace(/\n.{20}/, "\n"), /damaged/],
  ])("%s is named as what it is", (_, text, message) => {
    expect(() => readSigningKey(text, "the key")).toThrow(unusable(message));
  });

  test("a private key is no key to verify with, since nobody who verifies should have it", () => {
    expect(() => readVerifyingKey(newKeyPair().private_pem, "key")).toThrow(unusable(/private key/));
    expect(() => readVerifyingKey("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "key")).toThrow(
      unusable(/no public key/),
    );
  });

  test("no message holds a part of the key", () => {
    const { private_pem } = newKeyPair();
    const damaged = private_pem.replace(/\n.{4}/, "\nAAAA");
    try {
      readSigningKey(damaged, "the key");
      expect.unreachable();
    } catch (error) {
      expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain(private_pem.split("\n")[2] ?? "");
      expect((error as Error).cause).toBeUndefined();
    }
  });
});

describe("a key ring", () => {
  const { public_pem } = newKeyPair();
  const ring = (more: object): string =>
    JSON.stringify({ schema: 1, keys: [{ name: "2026", public_key: public_pem, ...more }] });
  const at = (day: string, more: object): string | undefined => {
    const [key] = readTrustedKeys(ring(more), "ring.json");
    return key === undefined ? "none" : keyObjection(key, new Date(day));
  };

  test("names each key, and a bare PEM is a ring of one", () => {
    expect(readTrustedKeys(ring({}), "ring.json")).toMatchObject([{ name: "2026" }]);
    expect(readTrustedKeys(public_pem, "key.pub")).toMatchObject([{ name: "key.pub" }]);
  });

  test("a key counts from its first to the end of its last day", () => {
    const years = { not_before: "2026-01-01", not_after: "2026-12-31" };
    expect(at("2026-01-01T00:00:00Z", years)).toBeUndefined();
    expect(at("2026-12-31T23:59:00Z", years)).toBeUndefined();
    expect(at("2025-12-31T23:59:59Z", years)).toContain("only from 2026-01-01");
    expect(at("2027-01-01T00:00:00Z", years)).toContain("until 2026-12-31");
  });

  test("a revoked key never counts, whatever the day", () => {
    expect(at("2026-06-01", { revoked: "laptop stolen", not_after: "2027-01-01" })).toContain("laptop stolen");
  });

  test.each([
    '{"schema":1,"keys":[]}',
    '{"schema":2,"keys":[]}',
    "{",
    ring({ not_after: "tomorrow" }),
    ring({ extra: 1 }),
  ])("%s is refused", (text) => {
    expect(() => readTrustedKeys(text, "ring.json")).toThrow(unusable(/ring\.json is no key ring/));
  });
});
