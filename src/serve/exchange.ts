// One request and its reply: headers that every reply has, JSON, and refusals in the Hub's own words.
import type { IncomingMessage, ServerResponse } from "node:http";

/** Codes that the Hub's clients turn into errors of their own. */
export type HubErrorCode = "RepoNotFound" | "RevisionNotFound" | "EntryNotFound";

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  /** Bytes of a file that went out; for the log. */
  bytes: number;
}

/** A reply that is no success; thrown by whoever finds out, written by the server. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** @param revision of the version that was looked into: Python remembers what it lacks. */
export function notFound(code: HubErrorCode, message: string, revision?: string): Refusal {
  return new Refusal(404, message, {
    "X-Error-Code": code,
    "X-Error-Message": message,
    ...(revision === undefined ? {} : { "X-Repo-Commit": revision }),
  });
}

/** Whatever a browser makes of a reply, it runs nothing and frames nothing. */
const SAFE = {
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
};

export function start(exchange: Exchange, status: number, headers: Readonly<Record<string, string | number>>): void {
  exchange.response.writeHead(status, { ...SAFE, ...headers });
}

/** @param headers win over those that every text has. */
export function sendText(
  exchange: Exchange,
  status: number,
  type: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const length = Buffer.byteLength(text);
  start(exchange, status, { "Content-Type": type, "Content-Length": length, "Cache-Control": "no-cache", ...headers });
  exchange.response.end(exchange.request.method === "HEAD" ? undefined : text);
}

export function sendJson(exchange: Exchange, value: unknown, headers: Readonly<Record<string, string>> = {}): void {
  sendText(exchange, 200, "application/json; charset=utf-8", JSON.stringify(value), headers);
}

/** This server's address as the client wrote it, for links in replies. */
export function originOf({ request }: Exchange): string {
  const { host = "localhost", "x-forwarded-proto": scheme } = request.headers;
  return `${scheme === "https" ? "https" : "http"}://${/^[\w.:[\]-]+$/.test(host) ? host : "localhost"}`;
}

/** The body of a small request. @throws Refusal 413 */
export async function readBody(exchange: Exchange, limit = 1 << 20): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of exchange.request) {
    size += (part as Buffer).length;
    if (size > limit) throw new Refusal(413, `The request is larger than ${limit} bytes.`, { Connection: "close" });
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString("utf8");
}
