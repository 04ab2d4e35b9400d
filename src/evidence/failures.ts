// The two errors of this room.
import { RerankTuneError } from "../errors.js";

/** For messages that end a check of a signature. */
export function signatureInvalid(
  message: string,
  hint = "do not use this model; get it, its signature and the signer's public key again, each from its own source",
): RerankTuneError {
  return new RerankTuneError({ code: "SIGNATURE_INVALID", message, hint });
}

export function keyUnusable(message: string, hint: string, cause?: unknown): RerankTuneError {
  return new RerankTuneError({ code: "KEY_UNUSABLE", message, hint, cause });
}
