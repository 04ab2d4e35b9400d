import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { Endpoint, type EndpointOptions, retryAfter } from "../../../../src/data-tools/endpoint/endpoint.js";
import type { StageEvent } from "../../../../src/events.js";
import { type Answer, endpointFor, fails, standIn } from "./stand-in.js";

const never = new AbortController().signal;

async function opened(answer: Answer, changes: Partial<EndpointOptions> = {}) {
  const server = await standIn(answer);
  const events: StageEvent[] = [];
  const context = { signal: never, emit: (event: StageEvent) => void events.push(event) };
  const endpoint = await Endpoint.open(endpointFor(server.url, "/rerank", changes), context);
  return { server, endpoint, events };
}

describe("a request", () => {
  test("gives the JSON of the reply, and carries the token as a header alone", async () => {
    vi.stubEnv("STAND_IN_TOKEN", "t0ken");
    const { server, endpoint } = await opened(() => [{ index: 0 }], { tokenEnv: "STAND_IN_TOKEN" });
    vi.unstubAllEnvs();
    expect(await endpoint.post({ query: "q" }, never)).toEqual([{ index: 0 }]);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({ path: "/rerank", body: { query: "q" } });
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: "Bearer t0ken",
      "content-type": "application/json",
    });
  });

  test("is sent again after as long as Retry-After says", async () => {
    const at: number[] = [];
    const { endpoint } = await opened((_, number, reply) => {
      at.push(performance.now());
      return number === 1 ? fails(reply, 429, { "Retry-After": "0.2" }) : { ok: 1 };
    });
    expect(await endpoint.post({}, never)).toEqual({ ok: 1 });
    expect((at[1] as number) - (at[0] as number)).toBeGreaterThanOrEqual(190);
  });

  test("is not sent again when the server wants an hour of rest", async () => {
    const { server, endpoint } = await opened((_, __, reply) => fails(reply, 429, { "Retry-After": "3600" }));
    await expect(endpoint.post({}, never)).rejects.toMatchObject({
      code: "ENDPOINT_FAILED",
      exitCode: 6,
      message: expect.stringContaining("60 minutes"),
    });
    expect(server.requests).toHaveLength(1);
  });

  test("survives a server that fails for the moment", async () => {
    const { server, endpoint } = await opened((_, number, reply) => (number < 4 ? fails(reply, 503) : { ok: 1 }));
    expect(await endpoint.post({}, never)).toEqual({ ok: 1 });
    expect(server.requests).toHaveLength(4);
  });

  test("gives up on a server that goes on failing, and says with what", async () => {
    const { server, endpoint } = await opened((_, __, reply) => fails(reply, 500));
    await expect(endpoint.post({}, never)).rejects.toMatchObject({
      code: "ENDPOINT_FAILED",
      message: `${server.url}/rerank answered 500.`,
    });
    expect(server.requests).toHaveLength(4);
  });

  test.each([
    [401, "--token-env"],
    [404, "path"],
    [413, "--batch"],
    [400, "model"],
  ])("refused with %i is not sent again, and the hint names %s", async (status, word) => {
    const { server, endpoint } = await opened((_, __, reply) => fails(reply, status));
    await expect(endpoint.post({}, never)).rejects.toMatchObject({
      code: "ENDPOINT_FAILED",
      hint: expect.stringContaining(word),
    });
    expect(server.requests).toHaveLength(1);
  });

  test("refused with a sentence shows the kind of error, never the sentence: it may hold the texts", async () => {
    const { endpoint } = await opened((_, __, reply) => {
      reply.writeHead(422);
      reply.end(JSON.stringify({ error: "the secret passage is too long", error_type: "validation" }));
    });
    const error = await endpoint.post({}, never).catch((thrown: Error) => thrown);
    expect((error as Error).message).toMatch(/answered 422 \(validation\)\.$/);
  });

  test("answered with something other than JSON fails at once", async () => {
    const { server, endpoint } = await opened((_, __, reply) => void reply.end("<html>"));
    await expect(endpoint.post({}, never)).rejects.toMatchObject({
      code: "ENDPOINT_FAILED",
      message: expect.stringContaining("other than JSON"),
    });
    expect(server.requests).toHaveLength(1);
  });

  test("to a server that hangs ends after its time, tried twice", async () => {
    const { server, endpoint } = await opened(() => undefined, { timeoutMs: 60 });
    await expect(endpoint.post({}, never)).rejects.toMatchObject({
      code: "ENDPOINT_FAILED",
      message: expect.stringContaining("within 0.06 s, 2 times"),
      hint: expect.stringContaining("--timeout"),
    });
    expect(server.requests).toHaveLength(2);
  });

  test("to a server that begins a reply and hangs ends after its time too", async () => {
    const { endpoint } = await opened((_, __, reply) => void reply.write("{"), { timeoutMs: 60 });
    await expect(endpoint.post({}, never)).rejects.toMatchObject({ message: expect.stringContaining("within 0.06 s") });
  });

  test("is not carried on to where a redirect points", async () => {
    const elsewhere = await standIn(() => ({ ok: 1 }));
    const { endpoint } = await opened((_, __, reply) => fails(reply, 307, { Location: elsewhere.url }));
    await expect(endpoint.post({}, never)).rejects.toMatchObject({ message: expect.stringContaining("answered 307") });
    expect(elsewhere.requests).toEqual([]);
  });

  test("to a port where nothing listens fails at once", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const options = endpointFor(`http://127.0.0.1:${port}`, "/rerank");
    const endpoint = await Endpoint.open(options, { signal: never, emit: () => undefined });
    await expect(endpoint.post({}, never)).rejects.toMatchObject({
      code: "ENDPOINT_FAILED",
      message: expect.stringContaining("could not be reached: ECONNREFUSED"),
    });
  });

  test("survives a connection that breaks", async () => {
    const { server, endpoint } = await opened((_, number, reply) =>
      number === 1 ? void reply.socket?.destroy() : { ok: 1 },
    );
    expect(await endpoint.post({}, never)).toEqual({ ok: 1 });
    expect(server.requests).toHaveLength(2);
  });

  test("ends at once when it is stopped, also in a pause", async () => {
    const stop = new AbortController();
    const { endpoint, events } = await opened((_, __, reply) => fails(reply, 429, { "Retry-After": "60" }));
    setTimeout(() => stop.abort(), 80);
    const started = performance.now();
    await expect(endpoint.post({}, stop.signal)).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(2000);
    expect(events).toEqual([{ type: "note", message: expect.stringContaining("next try in 60 s") }]);
  });

  test("goes past a proxy when the server is on this machine", async () => {
    vi.stubEnv("HTTP_PROXY", "http://127.0.0.1:9");
    const { endpoint } = await opened(() => ({ ok: 1 }));
    vi.unstubAllEnvs();
    expect(await endpoint.post({}, never)).toEqual({ ok: 1 });
  });

  test("is never made to a remote host that was not allowed", async () => {
    const options = endpointFor("http://rerank.example.com", "/rerank");
    await expect(Endpoint.open(options, { signal: never, emit: () => undefined })).rejects.toMatchObject({
      code: "USAGE",
      hint: expect.stringContaining("--allow-remote"),
    });
  });
});

describe("Retry-After", () => {
  test("is seconds or a date, as RFC 9110 has it", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    expect(retryAfter("7", now)).toBe(7000);
    expect(retryAfter("Thu, 01 Jan 2026 00:00:09 GMT", now)).toBe(9000);
    expect(retryAfter("Wed, 31 Dec 2025 00:00:00 GMT", now)).toBe(0);
  });

  test("that says nothing is no answer", () => {
    for (const header of [null, "", "soon", "-1"]) expect(retryAfter(header)).toBeUndefined();
  });
});
