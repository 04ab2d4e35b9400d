// Elliptic-curve keys as PEM: made, read and named. No file is touched here.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { hashText } from "../artifacts/hash.js";
import { keyUnusable } from "./failures.js";

/** Digest that goes with each curve, as model-signing 1.1.1 chooses it; other curves are refused. */
const DIGESTS: Record<string, string> = { prime256v1: "sha256", secp384r1: "sha384", secp521r1: "sha512" };
/** The only one that signs here. */
const SIGNING_CURVE = "prime256v1";

export interface VerifyingKey {
  /** sha256 (hex) of the public key as DER SubjectPublicKeyInfo: the key's name in all that we print. */
  id: string;
  /** sha256 (hex) of the public key as PEM: its name in a sigstore bundle by model-signing. */
  hint: string;
  /** sha256, sha384 or sha512, by the curve. */
  digest: string;
  publicKey: KeyObject;
}

export interface SigningKey extends VerifyingKey {
  privateKey: KeyObject;
}

/** A new P-256 key pair. @param password encrypts the private PEM (PKCS #8, AES-256-CBC). */
export function newKeyPair(password?: string): { private_pem: string; public_pem: string; id: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: SIGNING_CURVE });
  const encryption = password === undefined ? {} : { cipher: "aes-256-cbc", passphrase: password };
  return {
    private_pem: privateKey.export({ type: "pkcs8", format: "pem", ...encryption }).toString(),
    public_pem: publicKeyPem(publicKey),
    id: verifyingKey(publicKey, "the new key").id,
  };
}

/**
 * Reads a private key for signing: P-256, PKCS #8 or SEC 1, plain or encrypted.
 * @param named how messages call it; never its content.
 * @throws RerankTuneError KEY_UNUSABLE
 */
export function readSigningKey(pem: string, named: string, password?: string): SigningKey {
  if (!pem.includes("PRIVATE KEY-----"))
    throw keyUnusable(
      `${named} holds no private key in PEM form.`,
      pem.includes("PUBLIC KEY-----")
        ? "this is the public key; sign with the private one"
        : "make a key pair with `rerank-tune registry keys new FILE`",
    );
  const privateKey = privateKeyOf(pem, named, password);
  if (privateKey.asymmetricKeyDetails?.namedCurve !== SIGNING_CURVE)
    throw keyUnusable(
      `${named} is ${kindOf(privateKey)}; models are signed with keys of the curve P-256.`,
      "make one with `rerank-tune registry keys new FILE`",
    );
  return { ...verifyingKey(createPublicKey(privateKey), named), privateKey };
}

function privateKeyOf(pem: string, named: string, password?: string): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: "pem", ...(password === undefined ? {} : { passphrase: password }) });
  } catch (error) {
    const encrypted = /ENCRYPTED/.test(pem);
    if (encrypted && password === undefined)
      throw keyUnusable(
        `${named} is encrypted and no password was given.`,
        "put the password into the variable RERANK_TUNE_KEY_PASSWORD, or name where it is with --password FILE or env:NAME",
      );
    // The cause is left out: OpenSSL's words say nothing more, and no part of a key may reach a log.
    if (encrypted) throw keyUnusable(`The password does not open ${named}.`, "give the password of this very key");
    throw keyUnusable(
      `${named} is damaged: it is no private key (${(error as NodeJS.ErrnoException).code ?? "unknown format"}).`,
      "take it from your backup again; a lost key cannot be restored, see docs/guides/signing.md",
    );
  }
}

/** Reads a public key for verification. @throws RerankTuneError KEY_UNUSABLE */
export function readVerifyingKey(pem: string, named: string): VerifyingKey {
  if (pem.includes("PRIVATE KEY-----"))
    throw keyUnusable(
      `${named} is a private key; a signature is verified with the public one.`,
      "take the file that ends in .pub, and keep the private key where nobody who only verifies can read it",
    );
  let publicKey: KeyObject;
  try {
    publicKey = createPublicKey({ key: pem, format: "pem" });
  } catch {
    throw keyUnusable(
      `${named} holds no public key in PEM form.`,
      "ask the signer for the file that begins with -----BEGIN PUBLIC KEY-----",
    );
  }
  return verifyingKey(publicKey, named);
}

function verifyingKey(publicKey: KeyObject, named: string): VerifyingKey {
  const digest = DIGESTS[publicKey.asymmetricKeyDetails?.namedCurve ?? ""];
  if (publicKey.asymmetricKeyType !== "ec" || digest === undefined)
    throw keyUnusable(
      `${named} is ${kindOf(publicKey)}; model signatures are by elliptic-curve keys of P-256, P-384 or P-521.`,
      "ask the signer which key it is; signatures by certificate or identity are checked with PyPI `model-signing`",
    );
  const der = publicKey.export({ type: "spki", format: "der" });
  return { id: hashText(der), hint: hashText(publicKeyPem(publicKey)), digest, publicKey };
}

function publicKeyPem(key: KeyObject): string {
  return key.export({ type: "spki", format: "pem" }).toString();
}

function kindOf(key: KeyObject): string {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return `a key of the kind ${key.asymmetricKeyType ?? "unknown"}${curve === undefined ? "" : ` ${curve}`}`;
}
