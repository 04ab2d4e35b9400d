// What went wrong on the way to the hub, as errors a user can act on.
import { HubApiError } from "@huggingface/hub";
import { fromFileSystemError, interrupted, RerankTuneError } from "../errors.js";
import { networkReason } from "./replies.js";

/** Turns any failure of a hub call into the error to show; a mistake of ours is thrown as it is. `subject` is `owner/name` or `owner/name@revision`. */
export function hubFailure(error: unknown, subject: string, hubUrl: string, signal: AbortSignal): RerankTuneError {
  if (error instanceof RerankTuneError) return error;
  if (signal.aborted) return stopped(signal);
  if (error instanceof HubApiError) return refused(error.statusCode, subject, hubUrl, error);
  if (error instanceof TypeError && error.message.includes("must start with 'hf_'")) return badToken(error);
  return fromFileSystemError(error, subject) ?? unreachable(error, subject, hubUrl);
}

/** The error for a reply that is not a success. */
export function refused(status: number, subject: string, hubUrl: string, cause?: unknown): RerankTuneError {
  if (status === 401 || status === 403)
    return new RerankTuneError({
      code: "HUB_UNAUTHORIZED",
      message: `${hubUrl} refuses access to ${subject} (${status}): it does not exist, is private, or its terms were not accepted.`,
      hint: "check the name; accept the terms on its page; then set HF_TOKEN to a token that may read it",
      cause,
    });
  if (status === 404 || status === 410)
    return new RerankTuneError({
      code: "HUB_NOT_FOUND",
      message: `${hubUrl} has no ${subject} (${status}).`,
      hint: "correct base_model.repo and base_model.revision in the recipe, or give a local folder with base_model.path",
      cause,
    });
  return new RerankTuneError({
    code: "DOWNLOAD_FAILED",
    message: `${hubUrl} answered ${status} for ${subject}.`,
    hint: "run the same command again later: finished files are kept; `--offline` uses a base that is cached already",
    cause,
  });
}

/** The error for a stopped download; the abort reason tells SIGINT from SIGTERM. */
export function stopped(signal: AbortSignal): RerankTuneError {
  return interrupted(signal, "run the same command again: the download goes on where it stopped");
}

function badToken(cause: unknown): RerankTuneError {
  return new RerankTuneError({
    code: "HUB_UNAUTHORIZED",
    message: "The hub token does not start with hf_, so it is none.",
    hint: "set HF_TOKEN to a token from https://huggingface.co/settings/tokens, or unset it",
    cause,
  });
}

function unreachable(error: unknown, subject: string, hubUrl: string): RerankTuneError {
  return new RerankTuneError({
    code: "DOWNLOAD_FAILED",
    message: `${subject} could not be fetched from ${hubUrl}: ${networkReason(error)}.`,
    hint: "check the network, HTTPS_PROXY and HF_ENDPOINT, then run the same command again: finished files are kept; `--offline` uses a base that is cached already",
    cause: error,
  });
}
