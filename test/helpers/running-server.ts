// A server of `registry serve` for one test, and requests that reach it exactly as written, odd paths and all.
import { createHash } from "node:crypto";
import { request } from "node:http";
import { onTestFinished } from "vitest";
import { type RequestLog, type ServeOptions, startServer } from "../../src/serve/index.js";

export interface Reply {
  status: number;
  headers: Record<string, string | undefined>;
  body: Buffer;
  json(): unknown;
}

export interface TestServer {
  url: string;
  log: RequestLog[];
  get(path: string, headers?: Record<string, string>): Promise<Reply>;
  call(method: string, path: string, headers?: Record<string, string>, body?: string): Promise<Reply>;
  stop(graceMs: number): Promise<void>;
}

export const sha256 = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex");

/** Starts on a free port of loopback; stops when the test ends. */
export async function serving(root: string, more: Partial<ServeOptions> = {}): Promise<TestServer> {
  const log: RequestLog[] = [];
  const server = await startServer({
    root,
    host: "127.0.0.1",
    port: 0,
    organization: "local",
    log: (entry) => void log.push(entry),
    ...more,
  });
  onTestFinished(() => server.stop(0));
  const call: TestServer["call"] = (method, path, headers, body) => ask(server.url, method, path, headers, body);
  return { url: server.url, log, call, get: (path, headers) => call("GET", path, headers), stop: server.stop };
}

function ask(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<Reply> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, method, path, headers, agent: false }, (incoming) => {
      const parts: Buffer[] = [];
      incoming.on("data", (part: Buffer) => parts.push(part));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const bytes = Buffer.concat(parts);
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers as Reply["headers"],
          body: bytes,
          json: () => JSON.parse(bytes.toString("utf8")) as unknown,
        });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
