// PyPI model-signing beside ours: answers to many cases from one Python process, and a small signed model to change.
import { execFileSync } from "node:child_process";
import { createHash, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hashFile, listFiles } from "../../src/artifacts/hash.js";
import { preAuthentication, signedBundle } from "../../src/evidence/bundle.js";
import { newKeyPair, readSigningKey } from "../../src/evidence/keys.js";
import { modelStatement, SIGNATURE_FILE } from "../../src/evidence/model-signing.js";
import { type Statement, statementText } from "../../src/evidence/statement.js";

export type PythonCase =
  | { do: "verify"; folder: string; signature: string; key: string }
  | { do: "sign"; folder: string; signature: string; key: string; ignore?: string[] }
  | { do: "bill"; file: string };

/** What model-signing and the CycloneDX schema say, in the order of the cases. */
export function pythonVerdicts(cases: readonly PythonCase[]): { accepted: boolean; why: string }[] {
  const output = execFileSync(
    process.env.RERANK_TUNE_TEST_PYTHON ?? "python3",
    [join(import.meta.dirname, "model_signing_verdicts.py")],
    {
      input: JSON.stringify(cases),
      encoding: "utf8",
      env: { ...process.env, PYTHONPATH: process.env.RERANK_TUNE_TEST_EVIDENCE ?? "" },
    },
  );
  return JSON.parse(output) as { accepted: boolean; why: string }[];
}

/** Files whose order by parts of the path is not that of the whole path: `a/b.txt` comes before `a-b.txt`. */
export const MODEL: Record<string, string> = {
  "config.json": '{"model_type":"bert"}',
  "a-b.txt": "dash",
  "a/b.txt": "slash",
  "onnx/model.onnx": "weights",
  "onnx/modèle.txt": "accent",
};

export interface SignedFolder {
  folder: string;
  /** Of the signer. */
  private_pem: string;
  public_pem: string;
  key: KeyObject;
}

/** The model above in `folder`, signed by us with a new key. */
export async function signedFolder(folder: string, keys = newKeyPair()): Promise<SignedFolder> {
  for (const [path, text] of Object.entries(MODEL)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const { private_pem, public_pem } = keys;
  const text = statementText(await folderStatement(folder));
  await writeFile(join(folder, SIGNATURE_FILE), signedBundle(text, readSigningKey(private_pem, "test key")));
  return { folder, private_pem, public_pem, key: createPrivateKey(private_pem) };
}

/** What a signer says of a folder. */
export async function folderStatement(folder: string): Promise<Statement> {
  const files: { path: string; sha256: string }[] = [];
  for (const path of await listFiles(folder))
    if (path !== SIGNATURE_FILE) files.push({ path, sha256: await hashFile(join(folder, path)) });
  return modelStatement("model", files);
}

/** A bundle as JSON, free to be changed. */
export interface RawBundle {
  [name: string]: unknown;
  mediaType: string;
  verificationMaterial: Record<string, unknown>;
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string; keyid?: string }[] };
}

export async function readRaw(folder: string): Promise<RawBundle> {
  return JSON.parse(await readFile(join(folder, SIGNATURE_FILE), "utf8")) as RawBundle;
}

/** A bundle over any payload by any key: what a dishonest or careless signer would write. */
export function bundleOver(
  payload: string,
  key: KeyObject,
  options: { hint: string; digest?: string; type?: string; message?: Buffer },
): RawBundle {
  const bytes = Buffer.from(payload);
  const message = options.message ?? preAuthentication(bytes, options.type);
  const signature = sign(options.digest ?? "sha256", message, key).toString("base64");
  return {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: { publicKey: { hint: options.hint }, tlogEntries: [] },
    dsseEnvelope: {
      payload: bytes.toString("base64"),
      payloadType: options.type ?? "application/vnd.in-toto+json",
      signatures: [{ sig: signature, keyid: "" }],
    },
  };
}

export const hintOf = (pem: string): string => createHash("sha256").update(pem).digest("hex");
