// Answers an OCI registry's question who is there: basic, or a bearer token from the server that it names (distribution specification, "Token authentication").
import { isObject, jsonOf } from "../../artifacts/json-value.js";
import { type Fetch, type Patience, persistentFetch } from "../../hub/access.js";
import type { Credentials } from "./credentials.js";
import { failed } from "./failures.js";
import { isLoopback } from "./reference.js";

export interface Challenge {
  scheme: "basic" | "bearer";
  realm?: string;
  service?: string;
  scope?: string;
}

/** The first challenge of a WWW-Authenticate header that can be answered (RFC 9110 §11.6.1; quoted and bare values). */
export function parseChallenge(header: string | null): Challenge | undefined {
  const found = /(?:^|,\s*)(basic|bearer)(?:\s+|$)/i.exec(header ?? "");
  if (header === null || found === null) return undefined;
  const values: Record<string, string> = {};
  for (const match of header.slice(found.index).matchAll(/([a-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi))
    values[(match[1] ?? "").toLowerCase()] ??= (match[2] ?? match[3] ?? "").replace(/\\(.)/g, "$1");
  const { realm, service, scope } = values;
  const scheme = (found[1] ?? "").toLowerCase() === "basic" ? "basic" : "bearer";
  return {
    scheme,
    ...(realm === undefined ? {} : { realm }),
    ...(service === undefined ? {} : { service }),
    ...(scope === undefined ? {} : { scope }),
  };
}

export interface Door {
  /** Requests to other origins, such as storage that a registry redirects to, carry no credentials. */
  origin: string;
  fetch: Fetch;
  credentials: Credentials | undefined;
  /** Such as `repository:team/model:pull,push`; asked for besides what the registry names. */
  scopes: readonly string[];
  patience: Patience;
  signal: AbortSignal;
}

/** A fetch that answers challenges; a request whose body can be read once only is the caller's to repeat. */
export function authenticated(door: Door): Fetch {
  let authorization = door.credentials?.kind === "bearer" ? `Bearer ${door.credentials.token}` : undefined;
  return async (input, init = {}) => {
    const isOurs = new URL(String(input)).origin === door.origin;
    const send = () =>
      door.fetch(input, isOurs && authorization !== undefined ? withAuthorization(init, authorization) : init);
    const reply = await send();
    const challenge =
      reply.status === 401 && isOurs ? parseChallenge(reply.headers.get("WWW-Authenticate")) : undefined;
    if (challenge === undefined) return reply;
    const next = await answerTo(challenge, door);
    if (next === undefined || next === authorization) return reply;
    authorization = next;
    if (init.body instanceof ReadableStream) return reply;
    await reply.body?.cancel();
    return await send();
  };
}

function withAuthorization(init: RequestInit, authorization: string): RequestInit {
  const headers = new Headers(init.headers);
  headers.set("Authorization", authorization);
  return { ...init, headers };
}

async function answerTo(challenge: Challenge, door: Door): Promise<string | undefined> {
  if (challenge.scheme === "bearer") return await bearerToken(challenge, door);
  return door.credentials?.kind === "basic" ? basic(door.credentials) : undefined;
}

const basic = ({ username, password }: { username: string; password: string }): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;

/** @throws RerankTuneError OCI_FAILED when the token server may not be trusted with a password, or gives no token. */
async function bearerToken(challenge: Challenge, door: Door): Promise<string | undefined> {
  const realm = realmOf(challenge, door.origin);
  const scopes = [...new Set([...(challenge.scope ?? "").split(" "), ...door.scopes])].filter((scope) => scope !== "");
  const { credentials } = door;
  const reply = await persistentFetch(door, ...tokenRequest(realm, challenge.service, scopes, credentials));
  if (reply.status === 401 || reply.status === 403) return undefined; // the registry's own refusal says it
  const value = jsonOf(await reply.text());
  const token = isObject(value) ? (value.token ?? value.access_token) : undefined;
  if (reply.ok && typeof token === "string" && token !== "") return `Bearer ${token}`;
  throw failed(`The token server ${realm.host} answered ${reply.status} and gave no token`);
}

/** Docker's token specification: a GET with basic credentials, or a POST of a refresh token (OAuth2). */
function tokenRequest(
  realm: URL,
  service: string | undefined,
  scopes: readonly string[],
  credentials: Credentials | undefined,
): [string, RequestInit] {
  if (credentials?.kind === "identity") {
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: credentials.token,
      client_id: "rerank-tune",
    });
    if (service !== undefined) form.set("service", service);
    if (scopes.length > 0) form.set("scope", scopes.join(" "));
    return [realm.href, { method: "POST", body: form, redirect: "error" }];
  }
  const address = new URL(realm);
  if (service !== undefined) address.searchParams.set("service", service);
  for (const scope of scopes) address.searchParams.append("scope", scope);
  const headers: Record<string, string> = credentials?.kind === "basic" ? { Authorization: basic(credentials) } : {};
  return [address.href, { headers }];
}

/** A password goes over https, or where the registry itself is plain http. */
function realmOf({ realm }: Challenge, origin: string): URL {
  const address = URL.canParse(realm ?? "") ? new URL(realm ?? "") : undefined;
  const isSafe =
    address?.protocol === "https:" ||
    (address?.protocol === "http:" && origin.startsWith("http:") && isLoopbackOrSame(address, origin));
  if (address !== undefined && isSafe) return address;
  throw failed(
    `${origin} names a token server that cannot be trusted with credentials`,
    "correct the registry's `auth.token.realm`: it must be https",
  );
}

const isLoopbackOrSame = (address: URL, origin: string): boolean =>
  isLoopback(address.host) || address.hostname === new URL(origin).hostname;
