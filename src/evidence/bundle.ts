// Sigstore bundle v0.3 around a DSSE envelope, in the form of model-signing's key mode: signed here and checked here. Pure.
import { sign, verify } from "node:crypto";
import { z } from "zod";
import { hashText } from "../artifacts/hash.js";
import { jsonOf } from "../artifacts/json-value.js";
import { signatureInvalid } from "./failures.js";
import type { SigningKey, VerifyingKey } from "./keys.js";
import { PAYLOAD_TYPE } from "./statement.js";

/** Also the artifactType of a bundle beside a version. */
export const BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";

const material = z.strictObject({
  publicKey: z.strictObject({
    hint: z.string().optional(),
    // Written by model-signing before 1.0; the key to check with comes from who checks, never from here.
    rawBytes: z.string().optional(),
    keyDetails: z.string().optional(),
  }),
  tlogEntries: z.array(z.unknown()).optional(),
});
const bundleSchema = z.strictObject({
  mediaType: z.literal(BUNDLE_TYPE),
  verificationMaterial: material,
  dsseEnvelope: z.strictObject({
    payload: z.string(),
    payloadType: z.literal(PAYLOAD_TYPE),
    signatures: z.array(z.strictObject({ sig: z.string(), keyid: z.string().optional() })).length(1),
  }),
});

export interface Bundle {
  /** What was signed; untrusted until `checkBundle` found a key. */
  payload: Buffer;
  signature: Buffer;
  /** `hint` of the key that is said to have signed. */
  hint: string | undefined;
}

/** Signs a statement. ECDSA draws a new number each time: equal statements get unequal bundles. */
export function signedBundle(text: string, key: SigningKey): string {
  const payload = Buffer.from(text);
  const signature = sign(key.digest, preAuthentication(payload), { key: key.privateKey, dsaEncoding: "der" });
  return JSON.stringify({
    mediaType: BUNDLE_TYPE,
    verificationMaterial: { publicKey: { hint: key.hint }, tlogEntries: [] },
    dsseEnvelope: {
      payload: payload.toString("base64"),
      payloadType: PAYLOAD_TYPE,
      signatures: [{ sig: signature.toString("base64"), keyid: "" }],
    },
  } satisfies z.infer<typeof bundleSchema>);
}

/** Reads the form; says nothing of trust. @throws RerankTuneError SIGNATURE_INVALID */
export function readBundle(text: string): Bundle {
  const value = jsonOf(text);
  const parsed = bundleSchema.safeParse(value);
  if (!parsed.success) throw signatureInvalid(`The signature cannot be read: ${formProblem(value, parsed.error)}.`);
  const { dsseEnvelope, verificationMaterial } = parsed.data;
  return {
    payload: strictBase64(dsseEnvelope.payload),
    signature: strictBase64(dsseEnvelope.signatures[0]?.sig ?? ""),
    hint: verificationMaterial.publicKey.hint || undefined,
  };
}

/**
 * The key that made the signature, among those trusted.
 * A hint only narrows the search; what decides is the signature over the payload and its type (DSSE v1).
 * @returns undefined when none of them did.
 */
export function signerOf<Key extends VerifyingKey>(bundle: Bundle, trusted: readonly Key[]): Key | undefined {
  const message = preAuthentication(bundle.payload);
  return trusted.find(
    ({ hint, digest, publicKey }) =>
      (bundle.hint === undefined || bundle.hint === hint) &&
      verify(digest, message, { key: publicKey, dsaEncoding: "der" }, bundle.signature),
  );
}

/** sha256 (hex) of the payload: equal for two signatures over the same statement. */
export function payloadDigest({ payload }: Bundle): string {
  return hashText(payload);
}

/** PAE of DSSE v1.0.0: https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md */
export function preAuthentication(payload: Uint8Array, type: string = PAYLOAD_TYPE): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.byteLength} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** Node reads over what is no base64; a signature file that needs that was changed. */
function strictBase64(text: string): Buffer {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length > 0 && bytes.toString("base64") === text) return bytes;
  throw signatureInvalid("The signature is cut short or damaged: its base64 is not whole.");
}

function formProblem(value: unknown, error: z.ZodError): string {
  const verification = (value as { verificationMaterial?: object } | undefined)?.verificationMaterial ?? {};
  if ("certificate" in verification || "x509CertificateChain" in verification)
    return "it is by certificate or identity, which PyPI `model-signing` checks";
  const issue = error.issues[0];
  return value === undefined ? "it is no JSON" : `${issue?.path.join(".") || "the whole"} is not as it should be`;
}
