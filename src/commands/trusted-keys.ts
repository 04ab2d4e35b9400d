// Keys that a command line names, by file or variable.
import { basename, resolve } from "node:path";
import { readNamed, readPassword } from "../environment/named-secret.js";
import { RerankTuneError } from "../errors.js";
import { readTrustedKeys, type TrustedKey } from "../evidence/key-ring.js";
import { readSigningKey, type SigningKey } from "../evidence/keys.js";

/** `env:NAME` as it is, a path as the file's own name: what messages call a key. */
const named = (where: string): string => (where.startsWith("env:") ? where : basename(where));
const place = (where: string): string => (where.startsWith("env:") ? where : resolve(where));

/** @throws RerankTuneError KEY_UNUSABLE */
export async function signingKeyAt(where: string, password: string | undefined): Promise<SigningKey> {
  const pem = await readNamed(place(where), "the signing key");
  return readSigningKey(pem, named(where), await readPassword(password === undefined ? undefined : place(password)));
}

/** All keys of all places. @throws RerankTuneError KEY_UNUSABLE */
async function trustedKeysAt(places: readonly string[]): Promise<TrustedKey[]> {
  const keys: TrustedKey[] = [];
  for (const where of places)
    keys.push(...readTrustedKeys(await readNamed(place(where), "the public key"), named(where)));
  return keys;
}

/** What a command line trusts, and as of when. */
export interface TrustFlags {
  key?: string[];
  at?: string;
}

export interface Trust {
  keys: readonly TrustedKey[];
  at: Date;
}

/** @throws RerankTuneError KEY_UNUSABLE, USAGE */
export async function trustOf({ key = [], at }: TrustFlags): Promise<Trust> {
  return { keys: await trustedKeysAt(key), at: timeOf(at) };
}

/** A signature proves nothing without a key that came another way. @throws RerankTuneError USAGE */
export function requireKeys(places: readonly string[]): void {
  if (places.length > 0) return;
  throw new RerankTuneError({
    code: "USAGE",
    message: "A signature is checked with the signer's public key, and none was named.",
    hint: "add --key FILE (PEM or key ring) or --key env:NAME; take it from the signer, not from where the model is",
  });
}

/** The time a check is as of. @throws RerankTuneError USAGE */
function timeOf(at: string | undefined): Date {
  if (at === undefined) return new Date();
  const time = new Date(at);
  if (/^\d{4}-\d\d-\d\d(T.+)?$/.test(at) && !Number.isNaN(time.getTime())) return time;
  throw new RerankTuneError({
    code: "USAGE",
    message: `${JSON.stringify(at)} is no day.`,
    hint: "write it as 2026-01-31 or 2026-01-31T12:00:00Z",
  });
}
