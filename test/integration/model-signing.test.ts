// R13: model signatures by us and by PyPI model-signing 1.1.1, read by both, and changed in every way we could think of.
import { execFileSync } from "node:child_process";
import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { cpSync, mkdtempSync } from "node:fs";
import { appendFile, link, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashText } from "../../src/artifacts/hash.js";
import { checkFolder } from "../../src/commands/verify-signature.js";
import { RerankTuneError } from "../../src/errors.js";
import { preAuthentication } from "../../src/evidence/bundle.js";
import { readTrustedKeys } from "../../src/evidence/key-ring.js";
import { newKeyPair } from "../../src/evidence/keys.js";
import { EVIDENCE_FILES } from "../../src/evidence/model-signing.js";
import type { Statement } from "../../src/evidence/statement.js";
import {
  bundleOver,
  folderStatement,
  hintOf,
  pythonVerdicts,
  type RawBundle,
  readRaw,
  signedFolder,
} from "../helpers/model-signing.js";

interface Predicate {
  serialization: Record<string, unknown>;
  resources: { name: string; algorithm: string; digest: string }[];
}

/** One changed model: everything a change can touch. */
interface Scene {
  root: string;
  /** The model's folder. */
  folder: string;
  /** Where the signature lies. */
  signature: string;
  /** PEM that the checker trusts. */
  trusted: string;
  key: KeyObject;
  bundle: RawBundle;
  statement: Statement & { predicate: unknown };
  predicate: Predicate;
}

interface Mutation {
  name: string;
  /** Changes the scene; `signed` statements are signed again by the right key afterwards. */
  change(scene: Scene): Promise<void> | void;
  signed?: boolean;
  ours: boolean;
  theirs: boolean;
}

const raw = (name: string, both: boolean, change: Mutation["change"]): Mutation => ({
  name,
  change,
  ours: both,
  theirs: both,
});
const stated = (name: string, both: boolean, change: Mutation["change"]): Mutation => ({
  ...raw(name, both, change),
  signed: true,
});
/** Where we are stricter; each is written down in docs/decisions/0019-evidence.md. */
const stricter = (mutation: Mutation): Mutation => ({ ...mutation, ours: false, theirs: true });

const envelope = ({ bundle }: Scene) => bundle.dsseEnvelope;
const onlySignature = (scene: Scene) => envelope(scene).signatures[0] ?? { sig: "" };
const text = (scene: Scene): string => Buffer.from(envelope(scene).payload, "base64").toString();
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString("base64");
const named = ({ predicate }: Scene, name: string) =>
  predicate.resources.find((one) => one.name === name) ?? { name, algorithm: "", digest: "" };

async function other(scene: Scene, curve: string, digest: string): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: curve });
  scene.trusted = publicKey.export({ type: "spki", format: "pem" }).toString();
  scene.bundle = bundleOver(text(scene), privateKey, { hint: hintOf(scene.trusted), digest });
}

function trustOtherKind(scene: Scene, publicKey: KeyObject): void {
  scene.trusted = publicKey.export({ type: "spki", format: "pem" }).toString();
  scene.bundle.verificationMaterial.publicKey = { hint: hintOf(scene.trusted) };
}

/** ECDSA takes (r, s) and (r, n - s) alike. */
function mirrored(signature: Buffer): Buffer {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const rLength = signature[3] ?? 0;
  const r = signature.subarray(2, 4 + rLength);
  const s = BigInt(`0x${signature.subarray(6 + rLength).toString("hex")}`);
  const hex = (order - s).toString(16).padStart(64, "0");
  const bytes = Buffer.from(
    Number.parseInt(hex.slice(0, 2), 16) >= 128 ? `00${hex}` : hex.replace(/^(00)+(?=[0-7])/, ""),
    "hex",
  );
  const body = Buffer.concat([r, Buffer.from([2, bytes.length]), bytes]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

const BUNDLE: Mutation[] = [
  raw("nothing is changed", true, () => undefined),
  raw("the payload names another file", false, (scene) => {
    envelope(scene).payload = base64(text(scene).replace("config.json", "other.json"));
  }),
  raw("the payload is the same JSON with other spaces", false, (scene) => {
    envelope(scene).payload = base64(JSON.stringify(JSON.parse(text(scene)), null, 1));
  }),
  raw("the payload's base64 is cut short", false, (scene) => {
    envelope(scene).payload = envelope(scene).payload.slice(0, -5);
  }),
  stricter(
    raw("the payload's base64 has characters that are none", false, (scene) => {
      envelope(scene).payload = `!${envelope(scene).payload}`;
    }),
  ),
  raw("the payload is empty", false, (scene) => {
    envelope(scene).payload = "";
  }),
  raw("the signature's base64 is cut short", false, (scene) => {
    onlySignature(scene).sig = onlySignature(scene).sig.slice(0, -6);
  }),
  raw("the signature has bytes behind it", false, (scene) => {
    onlySignature(scene).sig = base64(
      Buffer.concat([Buffer.from(onlySignature(scene).sig, "base64"), Buffer.from([0])]),
    );
  }),
  raw("the signature is in the raw form of r and s", false, (scene) => {
    onlySignature(scene).sig = sign("sha256", preAuthentication(Buffer.from(text(scene))), {
      key: scene.key,
      dsaEncoding: "ieee-p1363",
    }).toString("base64");
  }),
  raw("the signature is empty", false, (scene) => {
    onlySignature(scene).sig = "";
  }),
  raw("the signature is r = s = 0", false, (scene) => {
    onlySignature(scene).sig = base64(Buffer.from("3006020100020100", "hex"));
  }),
  raw("the signature is mirrored at the order of the curve, which is as valid", true, (scene) => {
    onlySignature(scene).sig = base64(mirrored(Buffer.from(onlySignature(scene).sig, "base64")));
  }),
  raw("the signature is of another model by the same key", false, (scene) => {
    const elsewhere = bundleOver(text(scene).replace("config.json", "other.json"), scene.key, {
      hint: hintOf(scene.trusted),
    });
    onlySignature(scene).sig = elsewhere.dsseEnvelope.signatures[0]?.sig ?? "";
  }),
  raw("another key signed, under the right key's name", false, (scene) => {
    scene.bundle = bundleOver(text(scene), createPrivateKey(newKeyPair().private_pem), { hint: hintOf(scene.trusted) });
  }),
  raw("another key signed, under its own name", false, (scene) => {
    const { private_pem, public_pem } = newKeyPair();
    scene.bundle = bundleOver(text(scene), createPrivateKey(private_pem), { hint: hintOf(public_pem) });
  }),
  raw("another key is trusted", false, (scene) => {
    scene.trusted = newKeyPair().public_pem;
  }),
  raw("no hint says which key", true, (scene) => {
    scene.bundle.verificationMaterial = { publicKey: {}, tlogEntries: [] };
  }),
  raw("the hint is of another key", false, (scene) => {
    scene.bundle.verificationMaterial.publicKey = { hint: hintOf(newKeyPair().public_pem) };
  }),
  raw("the key in the bundle is the attacker's", false, (scene) => {
    const { private_pem, public_pem } = newKeyPair();
    scene.bundle = bundleOver(text(scene), createPrivateKey(private_pem), { hint: "" });
    scene.bundle.verificationMaterial.publicKey = {
      rawBytes: base64(public_pem),
      keyDetails: "PKIX_ECDSA_P256_SHA_256",
    };
  }),
  raw("the bundle is of another version", false, ({ bundle }) => {
    bundle.mediaType = "application/vnd.dev.sigstore.bundle.v0.2+json";
  }),
  raw("the payload is of another type", false, (scene) => {
    envelope(scene).payloadType = "text/plain";
  }),
  raw("the payload is of another type, and so signed", false, (scene) => {
    scene.bundle = bundleOver(text(scene), scene.key, { hint: hintOf(scene.trusted), type: "text/plain" });
  }),
  stricter(
    raw("a second signature comes behind the right one", false, (scene) => {
      envelope(scene).signatures.push({ sig: base64("other"), keyid: "" });
    }),
  ),
  raw("a wrong signature comes before the right one", false, (scene) => {
    envelope(scene).signatures.unshift({ sig: base64("other"), keyid: "" });
  }),
  raw("there is no signature", false, (scene) => {
    envelope(scene).signatures = [];
  }),
  raw("the signature bears a name, which nobody reads", true, (scene) => {
    onlySignature(scene).keyid = "anybody";
  }),
  raw("the bundle has a field that is not in the format", false, ({ bundle }) => {
    bundle.comment = "trust me";
  }),
  raw("a certificate stands in the key's place", false, ({ bundle }) => {
    bundle.verificationMaterial = { certificate: { rawBytes: "AAAA" }, tlogEntries: [] };
  }),
  raw("a P-384 key signed with SHA-384", true, (scene) => other(scene, "secp384r1", "sha384")),
  raw("a P-521 key signed with SHA-512", true, (scene) => other(scene, "secp521r1", "sha512")),
  raw("a P-384 key signed with SHA-256", false, (scene) => other(scene, "secp384r1", "sha256")),
  raw("a key of Bitcoin's curve signed", false, (scene) => other(scene, "secp256k1", "sha256")),
  raw("the right key signed with SHA-512", false, (scene) => {
    scene.bundle = bundleOver(text(scene), scene.key, { hint: hintOf(scene.trusted), digest: "sha512" });
  }),
  raw("the signature is an HMAC with the public key as its secret", false, (scene) => {
    const mac = createHmac("sha256", scene.trusted).update(preAuthentication(Buffer.from(text(scene))));
    onlySignature(scene).sig = mac.digest("base64");
  }),
  raw("an RSA key is trusted", false, (scene) =>
    trustOtherKind(scene, generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey),
  ),
  raw("an Ed25519 key is trusted", false, (scene) => trustOtherKind(scene, generateKeyPairSync("ed25519").publicKey)),
  raw("the payload alone is signed, without its type", false, (scene) => {
    const message = Buffer.from(text(scene));
    scene.bundle = bundleOver(text(scene), scene.key, { hint: hintOf(scene.trusted), message });
  }),
  stricter(
    raw("it is signed as model-signing 0.2 did, whose encoding had a fault", false, (scene) => {
      // Python's repr of the payload's bytes; ours has no quote or backslash but of the accent, which stands in escapes.
      const plain = text(scene).replaceAll("modèle", "modele");
      const resources = JSON.parse(plain) as Statement;
      const payload = JSON.stringify(resources);
      const repr = `DSSEV1 28 application/vnd.in-toto+json ${Buffer.byteLength(payload)} b'${payload}'`;
      scene.bundle = bundleOver(payload, scene.key, { hint: hintOf(scene.trusted), message: Buffer.from(repr) });
      return rename(join(scene.folder, "onnx/modèle.txt"), join(scene.folder, "onnx/modele.txt"));
    }),
  ),
];

/** The digest over the files as listed. */
function reroot(scene: Scene): void {
  const digests = scene.predicate.resources.map(({ digest }) => Buffer.from(digest, "hex"));
  scene.statement.subject = [{ name: "model", digest: { sha256: hashText(Buffer.concat(digests)) } }];
}

const STATEMENT: Mutation[] = [
  stricter(
    stated("the statement is one of model-signing 0.2", false, (scene) => {
      scene.statement.subject = scene.predicate.resources.map(({ name, digest }) => ({
        name,
        digest: { sha256: digest },
      }));
      scene.statement.predicateType = "https://model_signing/Digests/v0.1";
    }),
  ),
  stated("the statement is of another kind", false, ({ statement }) => {
    statement.predicateType = "https://slsa.dev/provenance/v1";
  }),
  stated("the statement is of another version of in-toto", false, ({ statement }) => {
    (statement as { _type: string })._type = "https://in-toto.io/Statement/v0.1";
  }),
  stated("the subject has another digest", false, ({ statement }) => {
    statement.subject = [{ name: "model", digest: { sha256: "0".repeat(64) } }];
  }),
  stated("there are two subjects", false, ({ statement }) => {
    statement.subject.push({ name: "second", digest: { sha256: "0".repeat(64) } });
  }),
  stated("the subject has another name, which says nothing", true, ({ statement }) => {
    statement.subject = statement.subject.map((subject) => ({ ...subject, name: "anything" }));
  }),
  stated("the files come in another order, and the subject with them", true, (scene) => {
    scene.predicate.resources.reverse();
    reroot(scene);
  }),
  stated("the files come in another order than the subject says", false, ({ predicate }) => {
    predicate.resources.reverse();
  }),
  stricter(
    stated("a file is named twice", false, (scene) => {
      scene.predicate.resources.push(named(scene, "config.json"));
      reroot(scene);
    }),
  ),
  stricter(
    stated("a file is named twice, first with another digest", false, (scene) => {
      scene.predicate.resources.unshift({ name: "config.json", algorithm: "sha256", digest: "0".repeat(64) });
      reroot(scene);
    }),
  ),
  stated("a file outside the folder is named", false, async (scene) => {
    await writeFile(join(scene.root, "outside"), "x");
    scene.predicate.resources.push({ name: "../outside", algorithm: "sha256", digest: hashText("x") });
    reroot(scene);
  }),
  stated("an absolute path is named", false, (scene) => {
    scene.predicate.resources.push({ name: "/etc/hostname", algorithm: "sha256", digest: hashText("x") });
    reroot(scene);
  }),
  stricter(
    stated("a path is not in its shortest form", false, (scene) => {
      named(scene, "config.json").name = "./config.json";
    }),
  ),
  stricter(
    stated("two names differ in case alone, and both files are there", false, async (scene) => {
      await writeFile(join(scene.folder, "Config.json"), "x");
      scene.predicate.resources.push({ name: "Config.json", algorithm: "sha256", digest: hashText("x") });
      reroot(scene);
    }),
  ),
  stricter(
    stated("a digest is in capital letters", false, (scene) => {
      named(scene, "config.json").digest = named(scene, "config.json").digest.toUpperCase();
    }),
  ),
  stated("a digest is too short", false, (scene) => {
    named(scene, "config.json").digest = named(scene, "config.json").digest.slice(2);
    reroot(scene);
  }),
  stated("a file's digest is by another algorithm", false, (scene) => {
    named(scene, "config.json").algorithm = "blake2b";
  }),
  stricter(
    stated("the digests are said to be BLAKE2", false, ({ predicate }) => {
      predicate.serialization.hash_type = "blake2b";
    }),
  ),
  stated("the files are said to be shards", false, ({ predicate }) => {
    predicate.serialization.method = "shards";
  }),
  stricter(
    stated("symbolic links are said to be allowed", false, ({ predicate }) => {
      predicate.serialization.allow_symlinks = true;
    }),
  ),
  stricter(
    stated("a file is there and left unsigned", false, (scene) => {
      scene.predicate.resources = scene.predicate.resources.filter(({ name }) => name !== "config.json");
      (scene.predicate.serialization.ignore_paths as string[]).push("config.json");
      reroot(scene);
    }),
  ),
  stated("a file is left out that is not there", true, ({ predicate }) => {
    (predicate.serialization.ignore_paths as string[]).push("notes.txt");
  }),
  stricter(
    stated("the whole folder is left out", false, (scene) => {
      scene.predicate.resources = [];
      (scene.predicate.serialization.ignore_paths as string[]).push(".");
      reroot(scene);
    }),
  ),
  stricter(
    stated("a path outside is left out", false, ({ predicate }) => {
      (predicate.serialization.ignore_paths as string[]).push("../outside");
    }),
  ),
  stated("the predicate has another field", true, ({ predicate }) => {
    (predicate as unknown as Record<string, unknown>).card = "README.md";
  }),
];

const FOLDER: Mutation[] = [
  raw("a file has one byte more", false, ({ folder }) => appendFile(join(folder, "config.json"), " ")),
  raw("a file is empty", false, ({ folder }) => writeFile(join(folder, "onnx/model.onnx"), "")),
  raw("a file is there that was not signed", false, ({ folder }) => writeFile(join(folder, "modeling.py"), "")),
  raw("a hidden file is there that was not signed", false, ({ folder }) => writeFile(join(folder, ".env"), "")),
  raw("a file has another name", false, ({ folder }) => rename(join(folder, "a-b.txt"), join(folder, "a-c.txt"))),
  raw("a file has its name in capitals", false, ({ folder }) =>
    rename(join(folder, "a-b.txt"), join(folder, "A-b.txt")),
  ),
  raw("a file is gone", false, ({ folder }) => rm(join(folder, "config.json"))),
  raw("a file became a folder", false, async ({ folder }) => {
    await rm(join(folder, "config.json"));
    await mkdir(join(folder, "config.json"));
  }),
  raw("two files changed places", false, async ({ folder }) => {
    await rename(join(folder, "a-b.txt"), join(folder, "x"));
    await rename(join(folder, "a/b.txt"), join(folder, "a-b.txt"));
    await rename(join(folder, "x"), join(folder, "a/b.txt"));
  }),
  raw("a file is a link to the same bytes", false, async ({ root, folder }) => {
    await rename(join(folder, "config.json"), join(root, "config.json"));
    await symlink(join(root, "config.json"), join(folder, "config.json"));
  }),
  raw("a folder is a link to the same files", false, async ({ root, folder }) => {
    await rename(join(folder, "onnx"), join(root, "onnx"));
    await symlink(join(root, "onnx"), join(folder, "onnx"));
  }),
  raw("a link leads nowhere", false, ({ folder }) => symlink("nowhere", join(folder, "link"))),
  raw("the folder is a link", false, async (scene) => {
    await symlink(scene.folder, join(scene.root, "link"));
    scene.folder = join(scene.root, "link");
  }),
  raw("a pipe lies in the folder", false, ({ folder }) => void execFileSync("mkfifo", [join(folder, "pipe")])),
  raw("a file has a second name elsewhere", true, ({ root, folder }) =>
    link(join(folder, "config.json"), join(root, "second")),
  ),
  raw("an empty folder is there besides", true, ({ folder }) => mkdir(join(folder, "empty"))),
  raw("git's own files are there", true, async ({ folder }) => {
    await mkdir(join(folder, ".git"));
    await writeFile(join(folder, ".git", "config"), "");
    await writeFile(join(folder, ".gitattributes"), "");
  }),
  raw("a link lies among git's own files", false, async ({ folder }) => {
    await mkdir(join(folder, ".git"));
    await symlink("/etc/hostname", join(folder, ".git", "config"));
  }),
  raw("the provenance lies beside the signature", true, ({ folder }) =>
    writeFile(join(folder, "provenance.json"), "{}"),
  ),
  raw("hf download left its records", true, async ({ folder }) => {
    await mkdir(join(folder, ".cache/huggingface"), { recursive: true });
    await writeFile(join(folder, ".cache/huggingface/x.metadata"), "");
  }),
  raw("another cache is there", false, async ({ folder }) => {
    await mkdir(join(folder, ".cache"));
    await writeFile(join(folder, ".cache/modeling.py"), "");
  }),
  raw("the signature lies elsewhere", true, (scene) => {
    scene.signature = join(scene.root, "elsewhere.sig");
  }),
];

const MUTATIONS = [...BUNDLE, ...STATEMENT, ...FOLDER];
const verdicts = new Map<string, { ours: boolean; theirs: boolean; why: string }>();

const BASE = mkdtempSync(join(tmpdir(), "rerank-tune-signing-"));
const THEIRS = join(BASE, "theirs.sig");
let signedByThem: (Original & { accepted: unknown }) | undefined;
afterAll(() => rm(BASE, { recursive: true, force: true }));

beforeAll(async () => {
  const from = await original();
  const cases: { mutation: Mutation; scene: Scene; key: string }[] = [];
  for (const [at, mutation] of MUTATIONS.entries()) {
    const scene = sceneIn(join(BASE, `${at}`), from);
    await mutation.change(scene);
    if (mutation.signed === true) {
      const payload = JSON.stringify({ ...scene.statement, predicate: scene.predicate });
      scene.bundle = bundleOver(payload, scene.key, { hint: hintOf(scene.trusted) });
    }
    const moved = scene.signature !== join(scene.folder, "model.sig");
    if (moved && mutation.name !== "the folder is a link") await rm(join(scene.folder, "model.sig"));
    await writeFile(scene.signature, JSON.stringify(scene.bundle));
    const key = join(scene.root, "key.pub");
    await writeFile(key, scene.trusted);
    cases.push({ mutation, scene, key });
  }
  const private_pem = join(BASE, "key.pem");
  await writeFile(private_pem, from.keys.private_pem);
  const { folder } = from;
  const besides = ["model.sig", ...EVIDENCE_FILES, ".cache/huggingface"].map((path) => join(folder, path));
  // One process: it takes longer to start than to judge all of them.
  const theirs = pythonVerdicts([
    ...cases.map(({ scene, key }) => ({
      do: "verify" as const,
      folder: scene.folder,
      signature: scene.signature,
      key,
    })),
    { do: "sign", folder, signature: THEIRS, key: private_pem, ignore: besides },
  ]);
  signedByThem = { ...from, accepted: theirs.at(-1) };
  for (const [at, { mutation, scene }] of cases.entries()) {
    const ours = await accepts(scene);
    const { accepted = false, why = "no answer" } = theirs[at] ?? {};
    verdicts.set(mutation.name, { ours: ours === "", theirs: accepted, why: `ours: ${ours}; theirs: ${why}` });
  }
}, 300_000);

interface Original {
  folder: string;
  keys: ReturnType<typeof newKeyPair>;
  bundle: RawBundle;
  statement: Statement;
}

async function original(): Promise<Original> {
  const folder = join(BASE, "original", "model");
  await mkdir(folder, { recursive: true });
  const keys = newKeyPair();
  await signedFolder(folder, keys);
  return { folder, keys, bundle: await readRaw(folder), statement: await folderStatement(folder) };
}

/** A copy of the original, free to be changed. */
function sceneIn(root: string, { folder: from, keys, ...signed }: Original): Scene {
  const folder = join(root, "model");
  cpSync(from, folder, { recursive: true });
  const { bundle, statement } = structuredClone(signed);
  return {
    root,
    folder,
    signature: join(folder, "model.sig"),
    trusted: keys.public_pem,
    key: createPrivateKey(keys.private_pem),
    bundle,
    statement,
    predicate: statement.predicate as unknown as Predicate,
  };
}

/** The reason it is refused, or nothing. Anything but our own error is a fault of ours. */
async function accepts({ folder, signature, trusted }: Scene): Promise<string> {
  try {
    await checkFolder(folder, signature, readTrustedKeys(trusted, "key.pub"), new Date());
    return "";
  } catch (error) {
    if (!(error instanceof RerankTuneError)) throw error;
    expect(["SIGNATURE_INVALID", "KEY_UNUSABLE"]).toContain(error.code);
    return [error.message, ...error.problems.map(({ message }) => message)].join(" ");
  }
}

describe("of a signed model", () => {
  test.each(MUTATIONS)("$name: ours accepts $ours, model-signing $theirs", ({ name, ours, theirs }) => {
    const found = verdicts.get(name);
    expect({ ours: found?.ours, theirs: found?.theirs }, found?.why).toEqual({ ours, theirs });
  });

  test("we accept nothing that model-signing refuses", () => {
    expect([...verdicts].filter(([, { ours, theirs }]) => ours && !theirs)).toEqual([]);
    expect(verdicts.size).toBe(MUTATIONS.length);
  });
});

describe("between the two", () => {
  test("what model-signing signs we verify, and what we sign is the statement that it makes", async () => {
    const { folder, keys, bundle, accepted } = signedByThem ?? expect.unreachable();
    expect(accepted).toEqual({ accepted: true, why: "" });
    const trusted = readTrustedKeys(keys.public_pem, "key.pub");
    expect(await checkFolder(folder, THEIRS, trusted, new Date())).toMatchObject({ name: "model", files: 5 });
    const theirs = JSON.parse(await readFile(THEIRS, "utf8")) as RawBundle;
    expect(said(bundle)).toEqual(said(theirs));
    expect({ ...bundle, dsseEnvelope: 0 }).toEqual({ ...theirs, dsseEnvelope: 0 });
  });

  test("the public key that we make has the hint that model-signing computes", () => {
    const { public_pem } = newKeyPair();
    const again = createPublicKey(public_pem).export({ type: "spki", format: "pem" }).toString();
    expect(again).toBe(public_pem);
    expect(readTrustedKeys(public_pem, "k")[0]?.hint).toBe(hintOf(public_pem));
  });
});

/** The statement in a bundle; the order inside ignore_paths is left open by the format. */
function said(bundle: RawBundle): unknown {
  const value = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, "base64").toString()) as { predicate: Predicate };
  (value.predicate.serialization.ignore_paths as string[]).sort();
  return value;
}
