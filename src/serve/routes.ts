// Which call of the Hub's protocol a path is. Pure; nothing of a path ever reaches the file system.

/** What stands behind `/api/models/<id>/` and behind `/<id>/`. */
const API_CALLS = ["revision", "tree", "paths-info", "refs"];
const SITE_CALLS = ["resolve", "tree"];

export type Route =
  | { kind: "home" }
  | { kind: "health" }
  | { kind: "whoami" }
  | { kind: "models" }
  | { kind: "unknown" }
  | { kind: "refs"; model: string }
  | { kind: "info" | "paths"; model: string; revision: string }
  | { kind: "tree" | "file"; model: string; revision: string; path: string }
  | { kind: "page"; model: string; revision?: string };

/** A model that cannot be in any registry: another organization's. */
export const NO_MODEL = "";

/**
 * @param path of the request, still percent-encoded; a revision may hold an encoded slash.
 * @param organization the one whose models are served; `name` alone means `organization/name`.
 */
export function routeOf(path: string, organization: string): Route {
  const segments = decoded(path);
  if (segments === undefined) return { kind: "unknown" };
  const [first, second, ...rest] = segments;
  if (first === undefined) return { kind: "home" };
  if (first === "healthz" && second === undefined) return { kind: "health" };
  if (first !== "api") return siteRoute(segments, organization);
  if (second === "whoami-v2" && rest.length === 0) return { kind: "whoami" };
  if (second !== "models") return { kind: "unknown" };
  return rest.length === 0 ? { kind: "models" } : apiRoute(rest, organization);
}

function apiRoute(segments: readonly string[], organization: string): Route {
  const found = splitName(segments, organization, API_CALLS);
  if (found === undefined) return { kind: "unknown" };
  const { model, call, rest } = found;
  const [revision = "main", ...path] = rest;
  if (call === "refs") return rest.length === 0 ? { kind: "refs", model } : { kind: "unknown" };
  if (call === "tree") return { kind: "tree", model, revision, path: path.join("/") };
  if (path.length > 0) return { kind: "unknown" };
  return { kind: call === "paths-info" ? "paths" : "info", model, revision };
}

function siteRoute(segments: readonly string[], organization: string): Route {
  const found = splitName(segments, organization, SITE_CALLS);
  if (found === undefined) return { kind: "unknown" };
  const { model, call, rest } = found;
  const [revision, ...path] = rest;
  if (call === undefined) return { kind: "page", model };
  if (revision === undefined) return { kind: "unknown" };
  if (call === "resolve") return { kind: "file", model, revision, path: path.join("/") };
  return path.length === 0 ? { kind: "page", model, revision } : { kind: "unknown" };
}

interface SplitName {
  model: string;
  call: string | undefined;
  rest: readonly string[];
}

/** A model may be called as an organization or a call is, so the reading that makes sense of what follows is taken. */
function splitName(segments: readonly string[], organization: string, calls: readonly string[]): SplitName | undefined {
  const after = (length: number): Omit<SplitName, "model"> | undefined => {
    const [call, ...rest] = segments.slice(length);
    return segments.length >= length && (call === undefined || calls.includes(call)) ? { call, rest } : undefined;
  };
  const [first = "", second = ""] = segments;
  const whole = after(2);
  if (whole !== undefined && first === organization) return { model: second, ...whole };
  const bare = after(1);
  if (bare !== undefined) return { model: first, ...bare };
  return whole === undefined ? undefined : { model: NO_MODEL, ...whole };
}

/** Undefined where the encoding is broken or a part is empty or holds a control character. A slash at the end counts for nothing. */
function decoded(path: string): string[] | undefined {
  const raw = path.replace(/^\//, "").replace(/\/$/, "");
  if (raw === "") return [];
  try {
    const segments = raw.split("/").map(decodeURIComponent);
    return segments.some((segment) => segment === "" || /\p{Cc}/u.test(segment)) ? undefined : segments;
  } catch {
    return undefined;
  }
}
