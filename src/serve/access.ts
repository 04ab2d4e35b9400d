// Who may read: a token in constant time where one is set, and on loopback only requests that were meant for this machine.
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|::1)$/;

export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/**
 * Without a token whoever reaches the server may read.
 * The token comes as a bearer from programs and as the password of basic authentication from browsers.
 */
export function mayRead({ headers }: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) return true;
  const [scheme = "", value = ""] = (headers.authorization ?? "").split(/\s+/, 2);
  const given =
    scheme.toLowerCase() === "basic"
      ? Buffer.from(value, "base64")
          .toString("utf8")
          .replace(/^[^:]*:/, "")
      : value;
  return ["bearer", "basic"].includes(scheme.toLowerCase()) && sameText(given, token);
}

/**
 * A page of another site can make a browser ask a server on loopback under that site's name (DNS rebinding); such a request carries the foreign name.
 * Names are looked at only where no token protects.
 */
export function isMeantForHere({ headers }: IncomingMessage, listening: string, token: string | undefined): boolean {
  if (token !== undefined || !isLoopback(listening)) return true;
  return isLoopback((headers.host ?? "").replace(/:\d+$/, ""));
}

/** Digests have one length, so that the comparison tells nothing of the token's. */
function sameText(left: string, right: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}
