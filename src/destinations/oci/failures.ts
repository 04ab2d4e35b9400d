// What went wrong on the way to an OCI registry, as errors a person can act on. Quotes the codes of a reply, never its headers or addresses.
import { isObject, jsonOf } from "../../artifacts/json-value.js";
import { type ErrorCode, fromFileSystemError, interrupted, RerankTuneError } from "../../errors.js";
import { networkReason } from "../../hub/replies.js";

const AGAIN = "run the same command again: what is there is not sent or fetched twice";

/** Any failure of a call, named; a mistake of ours is thrown as it is. @param shown `host/repository`. */
export function ociFailure(error: unknown, shown: string, signal: AbortSignal): RerankTuneError {
  if (error instanceof RerankTuneError) return error;
  if (signal.aborted) return interrupted(signal, AGAIN);
  const known = fromFileSystemError(error, (error as NodeJS.ErrnoException).path ?? shown);
  if (known !== undefined) return known;
  return failed(
    `${shown} could not be reached: ${networkReason(error)}`,
    `check the address, the network and HTTPS_PROXY, then ${AGAIN}`,
    error,
  );
}

/** The error for a reply that is no success. @param what what was asked for, such as `the blob sha256:…`. */
export async function refused(reply: Response, what: string, shown: string): Promise<RerankTuneError> {
  return refusedStatus(reply.status, what, shown, errorCodes(await reply.text().catch(() => ""))); // the status says enough
}

/** The same by the status alone. @param codes error codes of the registry, if any. */
export function refusedStatus(status: number, what: string, shown: string, codes = ""): RerankTuneError {
  const told = codes === "" ? `${status}` : `${status} ${codes}`;
  const answer = (code: ErrorCode, hint: string) =>
    new RerankTuneError({ code, message: `${shown} answered ${told} for ${what}.`, hint });
  if (status === 401 || status === 403) return answer("OCI_UNAUTHORIZED", SIGN_IN);
  if (status === 404) return answer("OCI_NOT_FOUND", "check host, repository and tag");
  if (status === 405) return answer("OCI_FAILED", "the registry takes no writes: it may be a mirror or a cache");
  if (status === 413) return answer("OCI_FAILED", "a proxy before the registry limits the size of requests: raise it");
  return answer("OCI_FAILED", `the log of the registry says more; later ${AGAIN}`);
}

const SIGN_IN =
  "sign in with `docker login` or `skopeo login`, or set RERANK_TUNE_OCI_USERNAME and RERANK_TUNE_OCI_PASSWORD; the account needs the right to do this";

export function failed(message: string, hint = AGAIN, cause?: unknown): RerankTuneError {
  return new RerankTuneError({
    code: "OCI_FAILED",
    message: `${message}.`,
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Codes are of a fixed list (OCI distribution specification, "Error codes"); messages may hold anything and are left out. */
function errorCodes(body: string): string {
  const value = jsonOf(body);
  const errors = isObject(value) && Array.isArray(value.errors) ? value.errors : [];
  const codes = errors
    .map((error) => (isObject(error) ? String(error.code) : ""))
    .filter((code) => /^[A-Z_]{1,40}$/.test(code));
  return [...new Set(codes)].slice(0, 3).join(", ");
}
