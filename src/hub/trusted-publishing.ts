// Publishing without a stored token: a build service vouches for the job, and the Hub gives a token of an hour for one repository.
import { RerankTuneError } from "../errors.js";
import type { Fetch } from "./access.js";
import { reasonOf } from "./patient-fetch.js";
import { withoutSecrets } from "./redaction.js";

/** RFC 8693 §2.1 and §3; the Hub's side: huggingface.co/docs/hub/trusted-publishers. */
const GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token";

/** Whether the environment asks for it: HF_OIDC_RESOURCE names the repository, as for huggingface_hub. */
export function wantsTrustedPublishing({ HF_OIDC_RESOURCE: resource }: NodeJS.ProcessEnv): boolean {
  return resource !== undefined && resource !== "";
}

/**
 * Exchanges the job's identity for a token of the Hub.
 * @throws RerankTuneError HUB_UNAUTHORIZED; never falls back to another token, because asking for this one was explicit.
 */
export async function exchangedToken(
  hubUrl: string,
  variables: NodeJS.ProcessEnv,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<string> {
  const identity = variables.HF_OIDC_ID_TOKEN || (await identityOfJob(hubUrl, variables, fetch, signal));
  const body = {
    grant_type: GRANT,
    subject_token_type: ID_TOKEN,
    subject_token: identity,
    resource: variables.HF_OIDC_RESOURCE,
  };
  const answer = await asked(fetch, signal, `${hubUrl}/oauth/token`, "the hub", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (typeof answer.access_token === "string" && answer.access_token.startsWith("hf_")) return answer.access_token;
  throw failed("the hub gave no token");
}

/** GitHub Actions mints one where the job has `permissions: id-token: write`. */
async function identityOfJob(
  hubUrl: string,
  variables: NodeJS.ProcessEnv,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<string> {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: address, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = variables;
  if (!address || !token)
    throw failed("this job has no identity to show: HF_OIDC_ID_TOKEN is not set, and GitHub Actions offers none");
  const asking = new URL(address);
  asking.searchParams.set("audience", hubUrl);
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await asked(fetch, signal, asking.toString(), "the build service", { headers });
  if (typeof answer.value === "string" && answer.value !== "") return answer.value;
  throw failed("the build service gave no identity");
}

async function asked(
  fetch: Fetch,
  signal: AbortSignal,
  address: string,
  who: string,
  init: RequestInit,
): Promise<Record<string, unknown>> {
  let reply: Response;
  let text: string;
  try {
    reply = await fetch(address, { ...init, signal: AbortSignal.any([signal, AbortSignal.timeout(60_000)]) });
    text = await reply.text();
  } catch (error) {
    throw failed(`${who} could not be asked (${reasonOf(error)})`);
  }
  if (!reply.ok) throw failed(`${who} answered ${reply.status}${saidIn(text)}`);
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw failed(`${who} gave no JSON`);
  }
}

function saidIn(text: string): string {
  try {
    const { error_description: description, error } = JSON.parse(text) as Record<string, unknown>;
    return `: ${withoutSecrets(String(description ?? error ?? ""))}`;
  } catch {
    return "";
  }
}

function failed(why: string): RerankTuneError {
  return new RerankTuneError({
    code: "HUB_UNAUTHORIZED",
    message: `HF_OIDC_RESOURCE asks for publishing without a token, and ${why}.`,
    hint: "give the job `permissions: id-token: write`, and name it as trusted publisher in the repository's settings; or unset HF_OIDC_RESOURCE and set HF_TOKEN",
  });
}
