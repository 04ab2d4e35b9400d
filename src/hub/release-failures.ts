// What went wrong on the way to the Hub, as errors that say what to type. No address of storage, no header and no token is in them.
import { HubApiError } from "@huggingface/hub";
import { type ErrorCode, RerankTuneError } from "../errors.js";
import { HubUnreachable, type HubWriter, reasonOf, stoppedRelease } from "./patient-fetch.js";
import { withoutSecrets } from "./redaction.js";
import { type ReplyClass, replyClass } from "./reply-class.js";

const AGAIN = "run the same command again: what the hub has is not sent twice";

const OF_CLASS: Record<Exclude<ReplyClass, "done">, { code: ErrorCode; hint: string }> = {
  passing: { code: "RELEASE_FAILED", hint: AGAIN },
  unauthorized: {
    code: "HUB_UNAUTHORIZED",
    hint: "set HF_TOKEN to a token with write access to this repository; where storage is full, free some or choose a plan with more; then run the same command again",
  },
  missing: {
    code: "HUB_NOT_FOUND",
    hint: "check the name after hub: and that the token may see it; then run it again",
  },
  conflict: {
    code: "RELEASE_CONFLICT",
    hint: "look at what changed there with --dry-run, then run the same command again",
  },
  too_large: {
    code: "RELEASE_FAILED",
    hint: "the hub takes no request of this size: check the space left in the account and the size of the files in the plan",
  },
  refused: { code: "RELEASE_FAILED", hint: "correct what the hub says, then run the same command again" },
};

/**
 * The error to show for a step that failed.
 * @param step what was being done, such as `sending the files`.
 */
export function releaseFailure(error: unknown, hub: HubWriter, step: string): RerankTuneError {
  if (error instanceof RerankTuneError) return error;
  if (hub.signal.aborted) return stoppedRelease(hub.signal);
  if (error instanceof HubApiError) return refusal(error, hub, step);
  if (!(error instanceof HubUnreachable || error instanceof TypeError)) throw error;
  return new RerankTuneError({
    code: "RELEASE_FAILED",
    message: `${hub.hubUrl} gave no answer while ${step}: ${withoutSecrets(reasonOf(error), hub.token)}.`,
    hint: `check the network, HTTPS_PROXY and HF_ENDPOINT; ${AGAIN}`,
  });
}

function refusal({ statusCode, message, data }: HubApiError, hub: HubWriter, step: string): RerankTuneError {
  const kind = replyClass(statusCode);
  const { code, hint } = OF_CLASS[kind === "done" ? "refused" : kind];
  const said = withoutSecrets(String(data?.error ?? message), hub.token).replace(/[.\s]+$/, "");
  return new RerankTuneError({
    code,
    message: `${hub.hubUrl} answered ${statusCode} while ${step}${said === "" ? "" : `: ${said}`}.`,
    hint,
  });
}
