// The public keys somebody trusts, each with the time it is good for: one PEM, or a JSON list of keys. Pure.
import { z } from "zod";
import { jsonOf } from "../artifacts/json-value.js";
import { keyUnusable } from "./failures.js";
import { readVerifyingKey, type VerifyingKey } from "./keys.js";

const instant = z.iso.datetime({ offset: true }).or(z.iso.date());

/** The file of a key ring; see docs/guides/signing.md. */
export const keyRingSchema = z.strictObject({
  schema: z.literal(1),
  keys: z
    .array(
      z.strictObject({
        name: z.string().min(1).describe("Whose key it is, for people."),
        public_key: z.string().describe("PEM."),
        not_before: instant.optional().describe("From when on signatures by it count."),
        not_after: instant.optional().describe("Until when signatures by it count."),
        revoked: z.string().min(1).optional().describe("Why nothing by it counts any more, at any time."),
      }),
    )
    .min(1),
});

export interface TrustedKey extends VerifyingKey {
  /** Whose key it is; the file's name for a bare PEM. */
  name: string;
  not_before?: string | undefined;
  not_after?: string | undefined;
  revoked?: string | undefined;
}

/** Reads a PEM file or a key ring. @throws RerankTuneError KEY_UNUSABLE */
export function readTrustedKeys(text: string, named: string): TrustedKey[] {
  if (!text.trimStart().startsWith("{")) return [{ ...readVerifyingKey(text, named), name: named }];
  const ring = keyRingSchema.safeParse(jsonOf(text));
  if (!ring.success)
    throw keyUnusable(
      `${named} is no key ring: ${ring.error.issues[0]?.path.join(".") ?? ""} ${ring.error.issues[0]?.message ?? ""}.`,
      'write {"schema": 1, "keys": [{"name": ..., "public_key": PEM}]}, see docs/guides/signing.md',
    );
  return ring.data.keys.map(({ public_key, ...key }) => ({
    ...readVerifyingKey(public_key, `the key ${JSON.stringify(key.name)} of ${named}`),
    ...key,
  }));
}

/**
 * Why a signature by this key does not count at a time, or undefined when it does. A signature carries no time that could be
 * trusted, so the time is that of the check, or one the checker knows from elsewhere.
 */
export function keyObjection(key: TrustedKey, at: Date): string | undefined {
  if (key.revoked !== undefined) return `its key ${JSON.stringify(key.name)} was revoked: ${key.revoked}`;
  if (key.not_before !== undefined && at < new Date(key.not_before))
    return `its key ${JSON.stringify(key.name)} is good only from ${key.not_before} on`;
  // A bare date is good to its end.
  const end = key.not_after?.length === 10 ? `${key.not_after}T23:59:59.999Z` : key.not_after;
  if (end !== undefined && at > new Date(end))
    return `its key ${JSON.stringify(key.name)} was good until ${key.not_after}; sign again with the new key, or check as of an earlier day with --at if you know from elsewhere that it was signed by then`;
  return undefined;
}
