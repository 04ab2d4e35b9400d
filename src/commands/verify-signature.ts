// `verify FOLDER --signature` and `registry verify MODEL --signature`: who signed, and whether the files are those that were signed.
import { lstat, readFile, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { hashFile } from "../artifacts/hash.js";
import { RerankTuneError } from "../errors.js";
import { readBundle, signerOf } from "../evidence/bundle.js";
import { signatureInvalid } from "../evidence/failures.js";
import { keyObjection, type TrustedKey } from "../evidence/key-ring.js";
import { differences, isUnder, leftOut, readModelStatement, SIGNATURE_FILE } from "../evidence/model-signing.js";
import { readStatement } from "../evidence/statement.js";
import { scanFolder } from "../model-folder/scan.js";
import { type Evidence, evidenceOf, type FrozenVersion, type Registry } from "../registry/index.js";
import { shortDigest } from "../registry/reference.js";
import type { Renderable } from "../ui/output.js";
import { columns } from "../ui/table.js";
import { openLocal, type RegistryFlags } from "./local-registry.js";
import { requireKeys, type Trust, type TrustFlags, trustOf } from "./trusted-keys.js";

export interface SignatureFlags extends TrustFlags {
  /** True: model.sig of the folder. */
  signature?: string | boolean;
}

/**
 * Holds every file of a folder against its signature.
 * @throws RerankTuneError SIGNATURE_INVALID with every difference, KEY_UNUSABLE, USAGE
 */
export async function verifyFolderSignature(folder: string, flags: SignatureFlags): Promise<Renderable> {
  requireKeys(flags.key ?? []);
  const root = resolve(folder);
  const file = typeof flags.signature === "string" ? resolve(flags.signature) : join(root, SIGNATURE_FILE);
  const { keys, at } = await trustOf(flags);
  const found = await checkFolder(root, file, keys, at);
  return {
    data: { folder: root, signature: file, ...found },
    essential: "verified",
    text: () => `verified: ${found.files} files are as ${found.signer} signed them\nkey  ${found.key_id}`,
  };
}

export interface VerifiedFolder {
  /** As the signer called the model. */
  name: string;
  /** How many were signed; each was read. */
  files: number;
  signer: string;
  key_id: string;
}

/** @throws RerankTuneError SIGNATURE_INVALID */
export async function checkFolder(
  root: string,
  signature: string,
  keys: readonly TrustedKey[],
  at: Date,
): Promise<VerifiedFolder> {
  const bundle = readBundle(await readSignature(signature));
  // Nothing inside is looked at before the signature holds.
  const key = signerOf(bundle, keys);
  if (key === undefined) throw signatureInvalid("No key that you named made this signature.");
  const objection = keyObjection(key, at);
  if (objection !== undefined) throw signatureInvalid(`The signature does not count: ${objection}.`);
  const signed = readModelStatement(readStatement(bundle.payload.toString("utf8")));
  const harmless = [...leftOut(signed), ...ownPath(root, signature)];
  const scanned = await scanFolder(root, (path) => isUnder(path, harmless));
  // As model-signing has it: a link can point to another folder tomorrow.
  const odd = (await lstat(root)).isSymbolicLink()
    ? ["the folder itself is a symbolic link", ...scanned.odd]
    : scanned.odd;
  const problems = [...odd, ...differences(signed, scanned.files)];
  if (problems.length > 0) throw notAsSigned(problems);
  return { name: signed.name, files: signed.files.length, signer: key.name, key_id: key.id };
}

function ownPath(root: string, signature: string): string[] {
  const path = relative(root, signature).split(sep).join("/");
  return path.startsWith("../") ? [] : [path];
}

function notAsSigned(problems: readonly string[]): RerankTuneError {
  return new RerankTuneError({
    code: "SIGNATURE_INVALID",
    message: `The folder is not what was signed: ${problems.length} ${problems.length === 1 ? "difference" : "differences"}.`,
    hint: "do not use it; pull or download it again, or move files that do not belong to it elsewhere",
    problems: problems.map((message) => ({ message })),
  });
}

async function readSignature(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw signatureInvalid(
      `There is no signature at ${path} (${(error as NodeJS.ErrnoException).code}).`,
      "name it with --signature FILE, or write it there: `rerank-tune registry evidence MODEL FOLDER`",
    );
  }
}

/** The same for a version of the registry: its blobs are read again, and everything beside it is judged. */
export async function verifyVersionSignature(
  reference: string,
  flags: RegistryFlags & SignatureFlags,
): Promise<Renderable> {
  requireKeys(flags.key ?? []);
  const { version, signature, all } = await signedVersion(await openLocal(flags), reference, flags);
  await rehash(version);
  const evidence = all.map(({ content: _content, ...item }) => item);
  return {
    data: { version: version.version, files: version.files.length, signer: signature.signer, evidence },
    essential: "verified",
    text: () =>
      [
        `verified: ${version.version}`,
        `${version.files.length} files are as ${signature.signer} signed them`,
        "",
        ...evidenceLines(all),
      ].join("\n"),
  };
}

/**
 * A version that one of the keys has signed, by its list of files; the bytes of the files are not read.
 * @throws RerankTuneError SIGNATURE_INVALID, KEY_UNUSABLE, USAGE, REGISTRY_NOT_FOUND
 */
export async function signedVersion(
  registry: Registry,
  reference: string,
  flags: TrustFlags,
): Promise<{ version: FrozenVersion; signature: Evidence; all: Evidence[] }> {
  const trust = await trustOf(flags);
  const version = await registry.frozen(reference);
  return { version, ...(await requireSigned(version, trust)) };
}

/** @throws RerankTuneError SIGNATURE_INVALID when no key of the list has signed the version. */
export async function requireSigned(
  version: FrozenVersion,
  { keys, at }: Trust,
): Promise<{ signature: Evidence; all: Evidence[] }> {
  const all = await evidenceOf(version, keys, at);
  const signature = all.find(({ kind, state }) => kind === "signature" && state === "verified");
  if (signature === undefined) throw notVerified(version, all);
  return { signature, all };
}

/** One line for each piece: what it is, its state, by whom, or why not. */
export function evidenceLines(found: readonly Evidence[]): string[] {
  return columns(
    found.map(({ kind, of, state, signer, reason, digest }) => [
      `  ${kind}${of === null ? "" : ` (${of})`}`,
      `${state}${signer === null ? "" : ` by ${signer}`}${reason === null ? "" : `: ${reason}`}`,
      shortDigest(digest),
    ]),
    [0, 1, 2],
  );
}

async function rehash(version: FrozenVersion): Promise<void> {
  const problems: string[] = [];
  for (const { path, sha256, blob } of version.files)
    if ((await stat(blob).catch(() => undefined)) === undefined) problems.push(`${path} is missing`);
    else if ((await hashFile(blob)) !== sha256) problems.push(`${path} was changed`);
  if (problems.length > 0) throw notAsSigned(problems);
}

function notVerified(version: FrozenVersion, found: readonly Evidence[]): RerankTuneError {
  const signatures = found.filter(({ kind }) => kind === "signature");
  return new RerankTuneError({
    code: "SIGNATURE_INVALID",
    message:
      signatures.length === 0
        ? `${version.version} is not signed.`
        : `No signature of ${version.version} holds with the keys that you named.`,
    hint:
      signatures.length === 0
        ? `sign it where it was published: \`rerank-tune registry sign ${version.name} --key FILE\``
        : "do not use this version, unless you named the wrong keys",
    problems: signatures.map(({ digest, reason }) => ({
      path: shortDigest(digest),
      message: reason ?? "not verified",
    })),
  });
}
