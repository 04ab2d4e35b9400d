// What goes wrong between here and a model server, as errors a person can act on. Quotes nothing of a reply: it may repeat the texts.
import { type ErrorCode, RerankTuneError } from "../../errors.js";

/** The one place that names the code of a server that gave no useful answer. */
const CODE: ErrorCode = "ENDPOINT_FAILED";

export function endpointFailure(message: string, hint: string, cause?: unknown): RerankTuneError {
  return new RerankTuneError({ code: CODE, message, hint, ...(cause === undefined ? {} : { cause }) });
}

/**
 * The error for a status that is no success and not worth another try.
 * @param body text of the reply; only a short error type is taken out of it.
 */
export function refused(shown: string, status: number, body: string): RerankTuneError {
  const type = errorType(body);
  const named = type === undefined ? "" : ` (${type})`;
  return endpointFailure(`${shown} answered ${status}${named}.`, hintFor(status));
}

/** A reply of 200 that is not what the interface promises. @param what what was expected, in words. */
export function unexpectedReply(shown: string, what: string): RerankTuneError {
  return endpointFailure(
    `${shown} answered with something other than ${what}.`,
    "check that the address belongs to a server of this interface, and which model it serves",
  );
}

export function unreachable(shown: string, reason: string, tries: number, cause: unknown): RerankTuneError {
  const times = tries === 1 ? "" : ` after ${tries} tries`;
  return endpointFailure(
    `${shown} could not be reached${times}: ${reason}.`,
    "start the server and check the address, HTTPS_PROXY and NO_PROXY, then run the command again",
    cause,
  );
}

export function tooSlow(shown: string, seconds: number, tries: number): RerankTuneError {
  return endpointFailure(
    `${shown} did not answer within ${seconds} s, ${tries} times.`,
    "give it more time with --timeout SECONDS, or less to do at once with a smaller --batch or --concurrency",
  );
}

function hintFor(status: number): string {
  if (status === 401 || status === 403)
    return "put the token into an environment variable and name that with --token-env NAME";
  if (status === 404 || status === 405) return "correct the path of the address; see the documentation of the server";
  if (status === 413 || status === 422)
    return "send less at once with a smaller --batch, or raise the limit of the server; its log says what it refused";
  if (status >= 300 && status < 400) return "name the address it redirects to: texts are not sent on unasked";
  if (status === 429 || status >= 500) return "look into the log of the server, then run the command again later";
  return "check the model's name and the address; the log of the server says what it refused";
}

/** `error.type`, `error.code` or `error_type` of the body when it is one plain word: a sentence may hold the texts. */
function errorType(body: string): string | undefined {
  try {
    const value = JSON.parse(body) as Record<string, unknown> | null;
    const inner = value?.error as Record<string, unknown> | undefined;
    const found = [inner?.type, inner?.code, value?.error_type].find((word) => typeof word === "string");
    return typeof found === "string" && /^[\w.-]{1,40}$/.test(found) ? found : undefined;
  } catch {
    return undefined;
  }
}
