// Sends JSON to one model server and gives its JSON back: time limit, tries with growing pauses, Retry-After, no redirects.
import { setTimeout as sleep } from "node:timers/promises";
import type { StageEvent } from "../../events.js";
import { proxiedFetch } from "../../hub/access.js";
import { networkReason } from "../../hub/replies.js";
import { checkReach, type EndpointAddress, tokenOf } from "./address.js";
import { endpointFailure, refused, tooSlow, unexpectedReply, unreachable } from "./failures.js";

/** Bounds of patience; tests shorten them. */
export interface Patience {
  /** Tries of one request. */
  attempts: number;
  /** Tries of one that ran out of time; each costs the whole limit. */
  lateAttempts: number;
  /** First pause between tries; doubles each time. */
  pauseMs: number;
}

const PATIENCE: Patience = { attempts: 6, lateAttempts: 3, pauseMs: 1000 };
const LONGEST_PAUSE_MS = 30_000;
/** A server that asks for a longer rest is asked again by the person, not from here. */
const LONGEST_REST_MS = 600_000;
/** Pauses longer than this are told. */
const TOLD_MS = 5000;

export interface EndpointOptions {
  address: EndpointAddress;
  /** Name of the environment variable with the token. */
  tokenEnv?: string;
  allowRemote: boolean;
  /** For one reply, from the first byte sent to the last received. */
  timeoutMs: number;
  patience?: Patience;
}

export interface EndpointContext {
  signal: AbortSignal;
  emit(event: StageEvent): void;
}

/** What one try came to: a reply, or a failure with the pause the server asks for. */
type Outcome = { json: unknown } | { failure: (tries: number) => Error; attempts: number; retryAfterMs?: number };

export class Endpoint {
  private answered = false;

  private constructor(
    private readonly options: EndpointOptions,
    private readonly context: EndpointContext,
    private readonly send: typeof fetch,
    private readonly headers: Record<string, string>,
  ) {}

  /** @throws RerankTuneError USAGE for a remote host that was not allowed and for a token that is not there. */
  static async open(options: EndpointOptions, context: EndpointContext): Promise<Endpoint> {
    checkReach(options.address, options.allowRemote, context.emit);
    const token = tokenOf(options.tokenEnv);
    // A proxy has no way back to this machine.
    const send = options.address.reach === "loopback" ? fetch : await proxiedFetch();
    const headers: Record<string, string> = { "Content-Type": "application/json" };
    if (token !== undefined) headers.Authorization = `Bearer ${token}`;
    return new Endpoint(options, context, send, headers);
  }

  get shown(): string {
    return this.options.address.shown;
  }

  /**
   * @param signal ends the request early.
   * @throws RerankTuneError ENDPOINT_FAILED; the signal's reason when stopped.
   */
  async post(body: object, signal: AbortSignal): Promise<unknown> {
    const { attempts, pauseMs } = this.options.patience ?? PATIENCE;
    const text = JSON.stringify(body);
    for (let tries = 1; ; tries += 1) {
      const outcome = await this.tryOnce(text, signal);
      if ("json" in outcome) return outcome.json;
      if (tries >= Math.min(outcome.attempts, attempts)) throw outcome.failure(tries);
      const rest = outcome.retryAfterMs ?? Math.min(pauseMs * 2 ** (tries - 1), LONGEST_PAUSE_MS);
      if (rest > LONGEST_REST_MS) throw restTooLong(this.shown, rest);
      if (rest > TOLD_MS)
        this.context.emit({ type: "note", message: `${this.shown} is busy: next try in ${Math.round(rest / 1000)} s` });
      await sleep(rest, undefined, { signal });
    }
  }

  private async tryOnce(body: string, signal: AbortSignal): Promise<Outcome> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), this.options.timeoutMs);
    let reply: Response;
    let text: string;
    try {
      reply = await this.send(this.options.address.url, {
        method: "POST",
        headers: this.headers,
        body,
        // A server on this machine could send the texts on to any other.
        redirect: "manual",
        signal: AbortSignal.any([signal, late.signal]),
      });
      text = await reply.text();
    } catch (error) {
      if (signal.aborted) throw error;
      return late.signal.aborted ? this.lateOutcome() : this.lostOutcome(error);
    } finally {
      clearTimeout(timer);
    }
    this.answered = true;
    return this.read(reply, text);
  }

  private read(reply: Response, text: string): Outcome {
    const { status } = reply;
    if (reply.ok) {
      try {
        return { json: JSON.parse(text) };
      } catch {
        throw unexpectedReply(this.shown, "JSON");
      }
    }
    if (!isPassing(status)) throw refused(this.shown, status, text);
    const retryAfterMs = retryAfter(reply.headers.get("Retry-After"));
    const failure = () => refused(this.shown, status, text);
    return { failure, attempts: Number.POSITIVE_INFINITY, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }

  private lateOutcome(): Outcome {
    const { timeoutMs, patience } = this.options;
    return {
      failure: (tries) => tooSlow(this.shown, timeoutMs / 1000, tries),
      attempts: (patience ?? PATIENCE).lateAttempts,
    };
  }

  /** No connection, or one that broke. A server that never answered is most likely not there: no use in waiting for it. */
  private lostOutcome(error: unknown): Outcome {
    const reason = networkReason(error);
    const broken = reason === "ECONNRESET" || reason === "UND_ERR_SOCKET";
    return {
      failure: (tries) => unreachable(this.shown, reason, tries, error),
      attempts: this.answered || broken ? Number.POSITIVE_INFINITY : 1,
    };
  }
}

/** Replies worth another try: too busy, or a server that failed for the moment. */
function isPassing(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501);
}

/** Milliseconds; the header holds seconds or a date (RFC 9110, section 10.2.3). */
export function retryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null || header.trim() === "") return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds * 1000 : undefined;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function restTooLong(shown: string, rest: number): Error {
  return endpointFailure(
    `${shown} asks to wait ${Math.round(rest / 60_000)} minutes before the next request.`,
    "run the command again then, with a smaller --concurrency",
  );
}
