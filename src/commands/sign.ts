// `registry sign`, `registry evidence` and `registry keys`: signing a version, taking its evidence out as files, and making keys.
import { mkdir, readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { readPassword } from "../environment/named-secret.js";
import { RerankTuneError } from "../errors.js";
import { newKeyPair } from "../evidence/keys.js";
import { evidenceFiles, evidenceOf, signatures } from "../registry/index.js";
import { createFile, dropPartials } from "../registry/new-file.js";
import type { Renderable } from "../ui/output.js";
import { displayPath } from "./context.js";
import { openLocal, type RegistryFlags } from "./local-registry.js";
import { signingKeyAt, type TrustFlags, trustOf } from "./trusted-keys.js";

export interface SignFlags extends RegistryFlags {
  key: string;
  password?: string;
}

/** Signs a version and every statement beside it; the version keeps its digest, and what the key signed before stays as it is. */
export async function signVersion(reference: string, flags: SignFlags): Promise<Renderable> {
  const key = await signingKeyAt(flags.key, flags.password);
  const registry = await openLocal(flags);
  const frozen = await registry.frozen(reference);
  const made = signatures(frozen, await evidenceOf(frozen), [], key);
  const { added } = await registry.attach(frozen.version, made);
  const said =
    added === 0 ? "this key had signed all of it before" : `${added} ${added === 1 ? "signature" : "signatures"} added`;
  return {
    data: { version: frozen.version, key_id: key.id, added },
    essential: key.id,
    text: () => `${frozen.version}\n${said}\nkey  ${key.id}`,
  };
}

export type EvidenceFlags = RegistryFlags & TrustFlags;

/** Writes model.sig and the statements into a folder, such as one that was pulled; with keys only what they verify. */
export async function writeEvidence(reference: string, folder: string, flags: EvidenceFlags): Promise<Renderable> {
  const registry = await openLocal(flags);
  const frozen = await registry.frozen(reference);
  const { keys, at } = await trustOf(flags);
  const all = await evidenceOf(frozen, keys, at);
  const files = evidenceFiles(keys.length === 0 ? all : all.filter(({ state }) => state === "verified"));
  const target = resolve(folder);
  await mkdir(target, { recursive: true });
  for (const { path, content } of files) await writeOnce(join(target, path), content);
  const names = files.map(({ path }) => path);
  return {
    data: { version: frozen.version, folder: target, files: names },
    essential: names.join("\n"),
    text: () =>
      names.length === 0
        ? `${frozen.version} has no evidence${keys.length === 0 ? "" : " by these keys"}`
        : `${frozen.version}\n${names.join(", ")} in ${displayPath(target)}`,
  };
}

/** Whole or not at all, so that a run that was killed can be repeated. A file of that name with other content may be somebody's only copy. */
async function writeOnce(path: string, content: string): Promise<void> {
  const before = await readFile(path, "utf8").catch((error) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  });
  if (before === content) return await dropPartials(path); // a writer can be killed behind its last step
  if (before !== undefined)
    throw new RerankTuneError({
      code: "NOT_WRITABLE",
      message: `${path} is there already and says something else.`,
      hint: "move it away, or name another folder",
    });
  await createFile(path, content);
}

/** A new key pair: FILE for the signer alone, FILE.pub for everybody. */
export async function newKeys(file: string, flags: { password?: string }): Promise<Renderable> {
  const path = resolve(file);
  const password = await readPassword(flags.password);
  const { private_pem, public_pem, id } = newKeyPair(password);
  await mkdir(dirname(path), { recursive: true });
  // Asked before the private key is written: half a pair would be refused ever after.
  if ((await stat(`${path}.pub`).catch(() => undefined)) !== undefined) throw keyThere(`${path}.pub`);
  await writeNew(path, private_pem, 0o600);
  await writeNew(`${path}.pub`, public_pem, 0o644);
  const locked = password === undefined ? "not encrypted: whoever reads it can sign" : "encrypted with your password";
  return {
    data: { private_key: path, public_key: `${path}.pub`, key_id: id, encrypted: password !== undefined },
    essential: id,
    text: () =>
      `private key  ${displayPath(path)} (${locked})\npublic key   ${displayPath(path)}.pub\nkey          ${id}\nKeep a copy of the private key offline; a lost one cannot be restored.`,
  };
}

async function writeNew(path: string, content: string, mode: number): Promise<void> {
  try {
    await createFile(path, content, mode);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "EEXIST" ? keyThere(path) : error;
  }
}

function keyThere(path: string): RerankTuneError {
  return new RerankTuneError({
    code: "NOT_WRITABLE",
    message: `${path} is there already; a key is never written over.`,
    hint: path.endsWith(".pub")
      ? "name another file"
      : `name another file; where only its public key is missing: openssl ec -in ${displayPath(path)} -pubout -out ${displayPath(path)}.pub`,
  });
}
