// How a file of a repository is asked for: its address, and headers that get its bytes as they are.
import type { HubAccess } from "./access.js";

/** @param revision branch, tag or commit. */
export function resolveAddress(
  { hubUrl }: Pick<HubAccess, "hubUrl">,
  repo: string,
  revision: string,
  path: string,
): string {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return `${hubUrl}/${repo}/resolve/${encodeURIComponent(revision)}/${encoded}`;
}

/** @param range such as `bytes=0-99`; the whole file without. */
export function fileHeaders({ token }: Pick<HubAccess, "token">, range?: string): Record<string, string> {
  return {
    "Accept-Encoding": "identity",
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    ...(range === undefined ? {} : { Range: range }),
  };
}
