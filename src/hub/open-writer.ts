// Opens the Hub for writing: its address, the token or the exchange for one, the proxy, and how patient to be.
import { RerankTuneError } from "../errors.js";
import { hubAddress, hubToken, proxiedFetch } from "./access.js";
import { type HubWriter, WRITE_PATIENCE, type WritePatience } from "./patient-fetch.js";
import { exchangedToken, wantsTrustedPublishing } from "./trusted-publishing.js";

export interface OpenedWriter {
  hub: HubWriter;
  /** The repository that a token without a person is for; undefined for a token of a person. */
  publisherOf?: string;
}

/**
 * @param variables HF_OIDC_RESOURCE first, then HF_TOKEN, then the file of `hf auth login`: the order of huggingface_hub.
 * @throws RerankTuneError HUB_UNAUTHORIZED when there is no token, or what is given is none.
 */
export async function openWriter(
  variables: NodeJS.ProcessEnv,
  signal: AbortSignal,
  onPause: (message: string) => void,
  patience: WritePatience = WRITE_PATIENCE,
): Promise<OpenedWriter> {
  const hubUrl = hubAddress(variables);
  const fetch = await proxiedFetch(variables);
  const shared = { hubUrl, fetch, signal, patience, onPause };
  if (wantsTrustedPublishing(variables)) {
    const token = await exchangedToken(hubUrl, variables, fetch, signal);
    return { hub: { ...shared, token }, publisherOf: variables.HF_OIDC_RESOURCE ?? "" };
  }
  const token = await hubToken(variables);
  if (token === undefined) throw noToken("There is no token for the hub.");
  if (!/^hf_[\x21-\x7e]+$/.test(token)) throw noToken("The hub token does not start with hf_, so it is none.");
  return { hub: { ...shared, token } };
}

function noToken(message: string): RerankTuneError {
  return new RerankTuneError({
    code: "HUB_UNAUTHORIZED",
    message,
    hint: "set HF_TOKEN to a token with write access from https://huggingface.co/settings/tokens, or run `hf auth login`",
  });
}
