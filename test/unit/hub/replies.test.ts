// What is asked of a reply: how long to wait, its first bytes, why none came.
import { describe, expect, test } from "vitest";
import { firstBytes, networkReason, retryAfter } from "../../../src/hub/replies.js";

describe("the pause that a reply asks for", () => {
  test.each([
    ["2", 2000],
    ["0.5", 500],
    ["0", 0],
    ["-1", undefined],
    ["Sun, 22 Nov 2026 10:00:00 GMT", undefined],
  ])("Retry-After: %s is %s milliseconds", (header, wanted) => {
    expect(retryAfter(new Response(null, { headers: { "Retry-After": header } }))).toBe(wanted);
  });

  test("is none without the header", () => {
    expect(retryAfter(new Response(null))).toBeUndefined();
  });
});

describe("the first bytes of a reply", () => {
  test("are no more than asked for, and what follows is not waited for", async () => {
    let pulled = 0;
    const endless = new ReadableStream({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array([pulled, pulled, pulled]));
      },
    });
    expect([...(await firstBytes(new Response(endless), 4))]).toEqual([1, 1, 1, 2]);
    expect(pulled).toBeLessThan(5);
  });

  test("are all of a shorter reply, and of any reply without a limit", async () => {
    expect((await firstBytes(new Response("abc"), 4)).toString()).toBe("abc");
    expect((await firstBytes(new Response("abc"), Number.POSITIVE_INFINITY)).toString()).toBe("abc");
    expect(await firstBytes(new Response(null), 4)).toHaveLength(0);
  });
});

test("the reason of a request without a reply is the code of its cause, then the cause's words, then its own", () => {
  expect(networkReason(new TypeError("fetch failed", { cause: { code: "ECONNREFUSED", message: "x" } }))).toBe(
    "ECONNREFUSED",
  );
  expect(networkReason(new TypeError("fetch failed", { cause: new Error("other side closed") }))).toBe(
    "other side closed",
  );
  expect(networkReason(new Error("no reply within 30 s"))).toBe("no reply within 30 s");
  expect(networkReason(new Error("aborted"), "stopped")).toBe("stopped");
});
