// Names of versions as people type them, and which paths a version may hold (safe-paths.ts). Pure.
import { RerankTuneError } from "../errors.js";

export { clashingPath, pathProblem } from "../model-folder/safe-paths.js";

const NAME = /^[a-z0-9]+([._-][a-z0-9]+)*$/;
const ALIAS = /^[a-z][a-z0-9._-]*$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

export interface Reference {
  name: string;
  /** Exactly one of the two. */
  alias?: string;
  digest?: string;
}

/**
 * Reads `name`, `name:alias` or `name@sha256:<64 hex>`; a bare name means its alias `latest`.
 * @throws RerankTuneError REGISTRY_NOT_FOUND when it is none of them.
 */
export function parseReference(text: string): Reference {
  const at = text.indexOf("@");
  const colon = text.indexOf(":");
  const end = at >= 0 ? at : colon >= 0 ? colon : text.length;
  const name = text.slice(0, end);
  const rest = text.slice(end + 1);
  if (NAME.test(name)) {
    if (end === text.length) return { name, alias: "latest" };
    if (at >= 0 && DIGEST.test(rest)) return { name, digest: rest };
    if (at < 0 && ALIAS.test(rest)) return { name, alias: rest };
  }
  throw new RerankTuneError({
    code: "REGISTRY_NOT_FOUND",
    message: `${JSON.stringify(text)} does not name a version.`,
    hint: "write name, name:alias or name@sha256:<64 hex digits>; `rerank-tune registry list` shows them",
  });
}

/** `sha256:` and twelve digits: enough to tell versions apart, short enough for a line. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 19);
}

/** @throws RerankTuneError USAGE when `name` or `alias` cannot stand in a reference. */
export function checkNames(name: string, alias: string): void {
  if (NAME.test(name) && name.length <= 96 && ALIAS.test(alias)) return;
  throw new RerankTuneError({
    code: "USAGE",
    message: `${JSON.stringify(`${name}:${alias}`)} cannot name a version.`,
    hint: "use lower-case letters, digits and single . _ - between them, at most 96 characters; see publish.name and publish.alias in the recipe",
  });
}

/** The first half of `organization/name`, by which clients of the Hub ask for a model. @throws RerankTuneError USAGE */
export function checkOrganization(organization: string): void {
  if (/^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$/.test(organization) && organization.length <= 96 && organization !== "api")
    return;
  throw new RerankTuneError({
    code: "USAGE",
    message: `${JSON.stringify(organization)} cannot be an organization.`,
    hint: "use letters, digits and single . _ - between them, at most 96 characters, such as --org local; `api` is taken",
  });
}
