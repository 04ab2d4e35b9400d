// in-toto Statement v1: what is said (predicate) of what (subjects). https://github.com/in-toto/attestation/tree/main/spec/v1
import { z } from "zod";
import { canonicalJson } from "../artifacts/hash.js";
import { jsonOf } from "../artifacts/json-value.js";
import { signatureInvalid } from "./failures.js";

export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
/** payloadType of an envelope, and media type of a statement without a signature. */
export const PAYLOAD_TYPE = "application/vnd.in-toto+json";

export const statementSchema = z.looseObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.array(z.looseObject({ name: z.string().optional(), digest: z.record(z.string(), z.string()) })).min(1),
  predicateType: z.string().min(1),
  predicate: z.record(z.string(), z.unknown()),
});
export type Statement = z.infer<typeof statementSchema>;

/** @param subjects name to sha256 (hex), in this order. */
export function statement(subjects: readonly Subject[], predicateType: string, predicate: object): Statement {
  const subject = subjects.map(({ name, sha256 }) => ({ name, digest: { sha256 } }));
  return { _type: STATEMENT_TYPE, subject, predicateType, predicate: predicate as Statement["predicate"] };
}

export interface Subject {
  name: string;
  sha256: string;
}

/** One content has one form: sorted keys, no spaces. Readers must take any. */
export function statementText(content: Statement): string {
  return canonicalJson(content);
}

/** @throws RerankTuneError SIGNATURE_INVALID */
export function readStatement(text: string): Statement {
  const parsed = statementSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw signatureInvalid("What was signed is no in-toto statement v1.");
}
