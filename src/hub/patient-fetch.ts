// A fetch for the calls of a release: tried again by class of failure, timed, whole replies only, the token for the hub alone.
import { setTimeout as sleep } from "node:timers/promises";
import { HubApiError } from "@huggingface/hub";
import { jsonOf } from "../artifacts/json-value.js";
import { interrupted } from "../errors.js";
import type { Fetch, Patience } from "./access.js";
import { withoutSecrets } from "./redaction.js";
import { firstBytes, networkReason } from "./replies.js";
import { askedWait, replyClass } from "./reply-class.js";

export interface HubWriter {
  /** Without a slash at its end. */
  hubUrl: string;
  token: string;
  fetch: Fetch;
  signal: AbortSignal;
  patience: WritePatience;
  /** Told of every pause, so that nobody takes it for a frozen program. */
  onPause?(message: string): void;
}

export interface WritePatience extends Patience {
  /** The Hub may say to wait until its window of five minutes is over; longer is an error with the time in it. */
  longestPauseMs: number;
}

export const WRITE_PATIENCE: WritePatience = {
  attempts: 6,
  pauseMs: 1_000,
  silenceMs: 60_000,
  longestPauseMs: 310_000,
};

/** What a request gave: a whole reply, or why there was none. */
type Try = { reply: Response; body: Buffer } | { reason: string };

export interface TryOptions {
  /** Times the patience for a reply to begin; a commit may take the Hub a minute. */
  slowness?: number;
  /** A request that must not be repeated blindly; its caller looks first what became of it. */
  once?: boolean;
  /** Bytes of a reply to read at most; a server that knows no ranges would send gigabytes. */
  most?: number;
  /** What is sent, in pieces, for each try anew. Patience then counts from the last piece that left: a slow line is not a dead one. */
  pieces?: readonly Uint8Array[];
}

/**
 * `fetch` with patience, also for the calls of @huggingface/hub. Gives back only whole replies: one that breaks off, or is no JSON
 * where it says so, counts as none.
 * @throws HubUnreachable when no try got a whole reply; RerankTuneError INTERRUPTED when the user stops.
 */
export function patientFetch(hub: HubWriter, options: TryOptions = {}): Fetch {
  return async (input, init = {}) => {
    const attempts = options.once === true ? 1 : hub.patience.attempts;
    for (let attempt = 1; ; attempt += 1) {
      const tried = await tryOnce(hub, String(input), init, options);
      const last = attempt >= attempts;
      if ("reason" in tried) {
        if (last) throw new HubUnreachable(tried.reason);
        await pauseAfter(hub, attempt, tried.reason);
        continue;
      }
      const { reply, body } = tried;
      const wait = askedWait(reply.headers, Date.now());
      if (last || replyClass(reply.status) !== "passing" || (wait ?? 0) > hub.patience.longestPauseMs)
        return replyOf(reply, body);
      await pauseAfter(hub, attempt, `status ${reply.status}`, wait);
    }
  };
}

/** A refusal whose words broke off is a refusal all the same; the library would stumble over half a JSON document. */
function replyOf({ status, headers, ok }: Response, body: Buffer): Response {
  const words = ok || isWhole(headers, body) ? body : Buffer.from("{}");
  return new Response(words.length === 0 ? null : new Uint8Array(words), { status, headers });
}

/** No whole reply came. Its message names no address and no header. */
export class HubUnreachable extends Error {}

/** The reply of a call of our own as the library's error, so that both fail alike. */
export function apiError(hub: HubWriter, reply: Response, body: string): HubApiError {
  const told = jsonOf(body) as { error?: unknown; message?: unknown } | null | undefined;
  // Not JSON: a proxy's page, most likely; its first line must do.
  const said = told === null || told === undefined ? body : String(told.error ?? told.message ?? "");
  return new HubApiError("", reply.status, undefined, withoutSecrets(said, hub.token));
}

/** Waits as asked, else twice as long each time, with a little chance in it so that two releases do not keep step. */
export async function pauseAfter(hub: HubWriter, attempt: number, reason: string, asked?: number): Promise<void> {
  const backoff = hub.patience.pauseMs * 2 ** (attempt - 1) * (1 + Math.random() / 4);
  const milliseconds = Math.min(asked ?? backoff, hub.patience.longestPauseMs);
  if (milliseconds >= 2_000) hub.onPause?.(`${reason}: trying again in ${Math.round(milliseconds / 1000)} s`);
  await sleep(milliseconds, undefined, { signal: hub.signal }).catch(() => {
    throw stoppedRelease(hub.signal);
  });
}

export const stoppedRelease = (signal: AbortSignal) =>
  interrupted(signal, "run the same command again: what the hub has is not sent twice");

/** Why a request got no reply, in words without an address. */
export function reasonOf(error: unknown): string {
  return withoutSecrets(networkReason(error, (error as Error).name === "AbortError" ? "stopped" : undefined));
}

async function tryOnce(hub: HubWriter, address: string, init: RequestInit, options: TryOptions): Promise<Try> {
  const late = new AbortController();
  const limit = hub.patience.silenceMs * (options.slowness ?? 1);
  const timer = setTimeout(() => late.abort(new Error(`no whole reply within ${limit / 1000} s`)), limit);
  const signals = [hub.signal, late.signal, ...(init.signal ? [init.signal] : [])];
  try {
    const headers = withToken(hub, address, init.headers);
    const body = options.pieces === undefined ? {} : streamed(options.pieces, headers, () => timer.refresh());
    const reply = await hub.fetch(address, { ...init, ...body, headers, signal: AbortSignal.any(signals) });
    const bytes = await firstBytes(reply, options.most ?? Number.POSITIVE_INFINITY);
    return reply.ok && !isWhole(reply.headers, bytes)
      ? { reason: "a reply that is no whole JSON" }
      : { reply, body: bytes };
  } catch (error) {
    if (hub.signal.aborted) throw stoppedRelease(hub.signal);
    return { reason: late.signal.aborted ? (late.signal.reason as Error).message : reasonOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** Storage wants to know the length beforehand; `moved` is called whenever a piece is asked for. */
function streamed(pieces: readonly Uint8Array[], headers: Headers, moved: () => void): RequestInit {
  headers.set("Content-Length", String(pieces.reduce((sum, { length }) => sum + length, 0)));
  const body = async function* (): AsyncGenerator<Uint8Array> {
    for (const piece of pieces) {
      moved();
      yield piece;
    }
    moved();
  };
  return { body: body(), duplex: "half" } as unknown as RequestInit;
}

/** What says that it is JSON must be; anything else is taken as it came. */
function isWhole(headers: Headers, body: Buffer): boolean {
  return body.length === 0 || !/json/.test(headers.get("Content-Type") ?? "") || jsonOf(body.toString()) !== undefined;
}

/** Only the hub sees the token: storage and whatever else a reply names get none, but may name headers of their own. */
export function withToken(hub: HubWriter, address: string, given?: RequestInit["headers"]): Headers {
  const headers = new Headers(given);
  if (headers.get("Authorization")?.includes(hub.token) === true) headers.delete("Authorization");
  if (address.startsWith(`${hub.hubUrl}/`)) headers.set("Authorization", `Bearer ${hub.token}`);
  return headers;
}
