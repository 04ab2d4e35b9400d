import { describe, expect, test } from "vitest";
import { askedWait, replyClass } from "../../../src/hub/reply-class.js";

test.each([
  [200, "done"],
  [206, "done"],
  [401, "unauthorized"],
  [403, "unauthorized"],
  [404, "missing"],
  [409, "conflict"],
  [412, "conflict"],
  [413, "too_large"],
  [422, "refused"],
  [429, "passing"],
  [500, "passing"],
  [504, "passing"],
])("%i is %s", (status, kind) => expect(replyClass(status)).toBe(kind));

describe("how long a reply asks to wait", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  test.each<[Record<string, string>, number | undefined]>([
    [{}, undefined],
    [{ "Retry-After": "7" }, 7_000],
    [{ "Retry-After": "Thu, 01 Jan 2026 00:00:05 GMT" }, 5_000],
    [{ "Retry-After": "Wed, 31 Dec 2025 00:00:00 GMT" }, 0],
    [{ "Retry-After": "soon" }, undefined],
    [{ RateLimit: '"api";r=0;t=55' }, 55_000],
    [{ RateLimit: '"api";r=3;t=55' }, undefined],
    [{ "Retry-After": "1", RateLimit: '"api";r=0;t=55' }, 1_000],
  ])("%j", (headers, wait) => expect(askedWait(new Headers(headers), now)).toBe(wait));
});
