// What a reply of the Hub means for the next step: done, worth another try, or final; and how long the Hub asks to wait. Pure.

export type ReplyClass = "done" | "passing" | "unauthorized" | "missing" | "conflict" | "too_large" | "refused";

const CLASSES: Readonly<Record<number, ReplyClass>> = {
  401: "unauthorized",
  403: "unauthorized",
  404: "missing",
  408: "passing",
  409: "conflict",
  410: "missing",
  412: "conflict",
  413: "too_large",
  425: "passing",
  429: "passing",
  500: "passing",
  502: "passing",
  503: "passing",
  504: "passing",
  507: "too_large",
};

export function replyClass(status: number): ReplyClass {
  if (status >= 200 && status < 300) return "done";
  return CLASSES[status] ?? "refused";
}

/**
 * Milliseconds that a reply asks to wait: `Retry-After` in seconds or as a date (RFC 9110 §10.2.3), else the seconds until the
 * window of an exhausted `RateLimit` is over (draft-ietf-httpapi-ratelimit-headers: `"api";r=0;t=55`).
 */
export function askedWait(headers: Headers, now: number): number | undefined {
  const after = headers.get("Retry-After")?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(after)) return Number(after) * 1000;
  const date = after === "" ? Number.NaN : Date.parse(after);
  if (Number.isFinite(date)) return Math.max(0, date - now);
  const limit = /;\s*r\s*=\s*0\s*;\s*t\s*=\s*(\d+)/.exec(headers.get("RateLimit") ?? "");
  return limit === null ? undefined : Number(limit[1]) * 1000;
}
