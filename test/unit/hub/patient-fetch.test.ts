import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { hubFailure } from "../../../src/hub/failures.js";
import { type HubWriter, patientFetch } from "../../../src/hub/patient-fetch.js";
import { validateCard } from "../../../src/hub/write-calls.js";

const MEGABYTE = 1 << 20;
const pieces = (megabytes: number) => Array.from({ length: megabytes * 4 }, () => new Uint8Array(MEGABYTE / 4));

async function serving(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server: Server = createServer(answer);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const hub = (hubUrl: string, silenceMs: number): HubWriter => ({
  hubUrl,
  token: "hf_secret",
  fetch,
  signal: new AbortController().signal,
  patience: { attempts: 2, pauseMs: 1, silenceMs, longestPauseMs: 10 },
});

describe("a body in pieces", () => {
  test("may take longer than the patience for silence while pieces leave", async () => {
    let received = 0;
    const seen: IncomingMessage["headers"][] = [];
    const url = await serving(async (request, response) => {
      seen.push(request.headers);
      for await (const chunk of request as AsyncIterable<Buffer>) {
        received += chunk.length;
        await sleep(chunk.length / 20_000); // about 20 MB a second
      }
      response.end("stored");
    });
    const silenceMs = 500;
    const begun = performance.now();
    const reply = await patientFetch(hub(url, silenceMs), { pieces: pieces(24) })(`${url}/part`, { method: "PUT" });
    expect(await reply.text()).toBe("stored");
    expect(performance.now() - begun).toBeGreaterThan(2 * silenceMs);
    expect(received).toBe(24 * MEGABYTE);
    expect(seen).toMatchObject([{ "content-length": String(24 * MEGABYTE) }]);
    expect(seen[0]).not.toHaveProperty("transfer-encoding");
  });

  test("is sent anew after a failure, and given up where nothing moves", async () => {
    const sizes: number[] = [];
    const url = await serving(async (request, response) => {
      let size = 0;
      for await (const chunk of request as AsyncIterable<Buffer>) size += chunk.length;
      sizes.push(size);
      response.writeHead(sizes.length === 1 ? 503 : 200).end();
    });
    await patientFetch(hub(url, 2000), { pieces: pieces(1) })(`${url}/part`, { method: "PUT" });
    expect(sizes).toEqual([MEGABYTE, MEGABYTE]);
    const deaf = await serving((request) => void request.pause());
    const sending = patientFetch(hub(deaf, 200), { pieces: pieces(32) })(`${deaf}/part`, { method: "PUT" });
    await expect(sending).rejects.toThrow("no whole reply within 0.2 s");
  });
});

describe("the hub's check of a card", () => {
  test.each([
    [200, { errors: [], warnings: [{ message: "no tags" }] }, { errors: [], warnings: ["no tags"] }],
    [400, { errors: [{ message: "no licence" }] }, { errors: ["no licence"], warnings: [] }],
  ])("answers %i with what it found", async (status, said, found) => {
    const url = await serving((_, response) => {
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(said));
    });
    expect(await validateCard(hub(url, 2000), "---\n---\n")).toEqual(found);
  });

  test.each([
    ["application/json", '{"error":"content is too long"}'],
    ["text/html", "<h1>content is too long</h1>"],
  ])("that refuses the call itself, in %s, is no consent", async (type, words) => {
    const url = await serving((_, response) => {
      response.writeHead(400, { "Content-Type": type }).end(words);
    });
    await expect(validateCard(hub(url, 2000), "---\n---\n")).rejects.toThrow(/content is too long/);
  });
});

test("a mistake of ours is not taken for the network's", () => {
  const of = (error: unknown) => () => hubFailure(error, "org/base", "https://hub", new AbortController().signal);
  const broken = (globalThis as unknown as { nothing: () => void }).nothing;
  const mistake = (() => {
    try {
      return broken();
    } catch (error) {
      return error;
    }
  })();
  expect(of(mistake)).toThrow(TypeError);
  const refused = new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });
  expect(of(refused)()).toMatchObject({ code: "DOWNLOAD_FAILED", message: expect.stringContaining("ECONNREFUSED") });
  expect(of(new TypeError("terminated"))()).toMatchObject({ code: "DOWNLOAD_FAILED" });
});
