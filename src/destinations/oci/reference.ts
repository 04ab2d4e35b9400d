// Names of artefacts in OCI registries, `oci://host/repository:tag`, as people type them (OCI distribution specification 1.1, "Pulling manifests"). Pure.
import { RerankTuneError } from "../../errors.js";

export interface OciReference {
  /** As written. */
  text: string;
  /** Scheme, host and port, without a slash at its end. */
  origin: string;
  /** Host with port, as docker's config.json names it. */
  host: string;
  repository: string;
  /** Exactly one of the two. */
  tag?: string;
  /** `sha256:<hex>`. */
  digest?: string;
}

/** What stands before the first colon. */
export type Scheme = "oci" | "oci+http";
export const FORM = "oci://HOST/REPOSITORY:TAG";

const SHAPE = /^oci(\+http)?:\/\/([^/]+)\/([^@]+?)(?::([^:/@]+))?(?:@(sha256:[0-9a-f]{64}))?$/;
const HOST = /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?$/;
const REPOSITORY = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
/** docker.io serves its registry under another name. */
const SERVED_BY: Readonly<Record<string, string>> = {
  "docker.io": "registry-1.docker.io",
  "index.docker.io": "registry-1.docker.io",
};

/**
 * Plain http is for this machine alone, unless the scheme says `oci+http`.
 * @throws RerankTuneError USAGE. A text with an @ before its host is not repeated: it may hold a password.
 */
export function parseOciReference(text: string): OciReference {
  const [, plain, host = "", repository = "", tag, digest] = SHAPE.exec(text) ?? [];
  const isOne = (tag === undefined) !== (digest === undefined);
  if (/^[^/]*:\/\/[^/]*@/.test(text)) throw misread("The address has a name or password in it", SIGN_IN);
  if (!HOST.test(host) || !REPOSITORY.test(repository) || repository.length > 255 || !isOne || !TAG.test(tag ?? "x"))
    throw misread(
      `${JSON.stringify(text)} names nothing in an OCI registry`,
      `write ${FORM} or …@sha256:<64 hex digits>`,
    );
  const scheme = plain !== undefined || isLoopback(host) ? "http" : "https";
  const reference = { text, origin: `${scheme}://${SERVED_BY[host] ?? host}`, host, repository };
  return digest === undefined ? { ...reference, tag: tag ?? "" } : { ...reference, digest };
}

const SIGN_IN =
  "leave it out; sign in with `docker login HOST`, or set RERANK_TUNE_OCI_USERNAME and RERANK_TUNE_OCI_PASSWORD";

const misread = (message: string, hint: string): RerankTuneError =>
  new RerankTuneError({ code: "USAGE", message: `${message}.`, hint });

/** Whether a host with or without port is this machine by its name alone. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(host);
}
