// How the hub is reached: address, token, proxy, time limits and retries. The token is sent to the hub alone and never printed.
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { retryAfter } from "./replies.js";

export type Fetch = typeof fetch;

/** Bounds of patience; tests shorten them. */
export interface Patience {
  /** Tries of one request, or of one file without getting a byte further. */
  attempts: number;
  /** First pause between tries; doubles each time. */
  pauseMs: number;
  /** A reply must begin, and each next piece of it arrive, within this time. */
  silenceMs: number;
}

export const PATIENCE: Patience = { attempts: 5, pauseMs: 500, silenceMs: 30_000 };

export interface HubAccess {
  /** Without a slash at its end. */
  hubUrl: string;
  token?: string;
  fetch: Fetch;
  signal: AbortSignal;
  patience: Patience;
}

/** Replies worth another try: too busy, or a server that failed for the moment. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
const LONGEST_PAUSE_MS = 30_000;

/** `HF_ENDPOINT` or the public hub. */
export function hubAddress(variables: NodeJS.ProcessEnv = process.env): string {
  return (variables.HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, "");
}

/** `HF_TOKEN`, else the file that `hf auth login` writes (`HF_TOKEN_PATH`, `$HF_HOME/token`, ~/.cache/huggingface/token). */
export async function hubToken(variables: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  if (variables.HF_TOKEN) return variables.HF_TOKEN.trim();
  const home = variables.HF_HOME || join(variables.XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface");
  const text = await readFile(variables.HF_TOKEN_PATH || join(home, "token"), "utf8").catch(() => ""); // no file: no token
  return text.trim() || undefined;
}

/** Node's fetch; through undici's agent where a proxy is set, because Node 20 does not look at these variables itself. */
export async function proxiedFetch(variables: NodeJS.ProcessEnv = process.env): Promise<Fetch> {
  const { HTTPS_PROXY, https_proxy, HTTP_PROXY, http_proxy, NO_PROXY, no_proxy } = variables;
  const httpsProxy = https_proxy || HTTPS_PROXY;
  const httpProxy = http_proxy || HTTP_PROXY;
  if (!httpsProxy && !httpProxy) return fetch;
  const undici = await import("undici");
  const dispatcher = new undici.EnvHttpProxyAgent({
    httpProxy,
    httpsProxy: httpsProxy || httpProxy,
    noProxy: no_proxy || NO_PROXY,
  });
  const send = undici.fetch as unknown as (input: Parameters<Fetch>[0], init: unknown) => Promise<Response>;
  return (input, init) => send(input, { ...init, dispatcher });
}

/**
 * One request, tried again while the failure looks passing; the body is the caller's to time.
 * @returns the last reply, whatever its status. Throws what fetch threw when no try got a reply.
 */
export async function persistentFetch(
  access: Pick<HubAccess, "fetch" | "signal" | "patience">,
  input: Parameters<Fetch>[0],
  init: RequestInit = {},
): Promise<Response> {
  const { attempts, pauseMs } = access.patience;
  for (let attempt = 1; ; attempt += 1) {
    const last = attempt >= attempts;
    try {
      const reply = await timedFetch(access, input, init);
      if (last || !PASSING.has(reply.status)) return reply;
      await reply.body?.cancel();
      await pause(access, retryAfter(reply) ?? pauseMs * 2 ** (attempt - 1));
    } catch (error) {
      if (last || access.signal.aborted) throw error;
      await pause(access, pauseMs * 2 ** (attempt - 1));
    }
  }
}

/** Waits, but no longer than is bearable and not when the user stops. */
export async function pause(access: Pick<HubAccess, "signal">, milliseconds: number): Promise<void> {
  await sleep(Math.min(milliseconds, LONGEST_PAUSE_MS), undefined, { signal: access.signal });
}

/** The reply must begin in time; reading it is timed by whoever reads. */
async function timedFetch(
  access: Pick<HubAccess, "fetch" | "signal" | "patience">,
  input: Parameters<Fetch>[0],
  init: RequestInit,
): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new Error(`no reply within ${access.patience.silenceMs / 1000} s`)),
    access.patience.silenceMs,
  );
  const signals = [access.signal, late.signal, ...(init.signal ? [init.signal] : [])];
  try {
    return await access.fetch(input, { ...init, signal: AbortSignal.any(signals) });
  } finally {
    clearTimeout(timer);
  }
}

/** What a caller may set of its access; the rest comes from the environment. */
export interface AccessOptions {
  signal: AbortSignal;
  /** Defaults: Node's fetch through the proxy of the environment, HF_ENDPOINT, HF_TOKEN or the token file. */
  fetch?: Fetch;
  hubUrl?: string;
  token?: string;
  patience?: Patience;
}

export async function openAccess(options: AccessOptions): Promise<HubAccess> {
  const { signal, patience = PATIENCE } = options;
  const token = options.token ?? (await hubToken());
  return {
    hubUrl: (options.hubUrl ?? hubAddress()).replace(/\/+$/, ""),
    fetch: options.fetch ?? (await proxiedFetch()),
    signal,
    patience,
    ...(token === undefined ? {} : { token }),
  };
}

/** What the library's calls share; its own fetch neither retries nor knows proxies. */
export function callOptions(access: HubAccess) {
  const { hubUrl, token } = access;
  const persistent: Fetch = (input, init) =>
    persistentFetch(access, input, {
      ...init,
      signal: AbortSignal.timeout(2 * access.patience.silenceMs * access.patience.attempts),
    });
  return { hubUrl, fetch: persistent, ...(token === undefined ? {} : { accessToken: token }) };
}
