// A model server on loopback for tests: keeps what it was asked, answers what the test says, and is gone when the test ends.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { endpointAddress } from "../../../../src/data-tools/endpoint/address.js";
import type { EndpointOptions } from "../../../../src/data-tools/endpoint/endpoint.js";

/** What a test reads of any request; each interface has its own fields. */
export interface Asked {
  query: string;
  texts: string[];
  documents: string[];
  model: string;
  seed: number;
  temperature: number;
  messages: { role: string; content: string }[];
}

export interface StandIn {
  url: string;
  requests: { path: string; headers: IncomingHttpHeaders; body: Asked }[];
  /** Requests answered at the same time, at most. */
  busiest: number;
}

/** Answers one request; `number` counts from 1. What it returns is sent as JSON; undefined when it answered itself, or never. */
export type Answer = (body: Asked, number: number, reply: ServerResponse) => unknown | Promise<unknown>;

export async function standIn(answer: Answer): Promise<StandIn> {
  const server: StandIn = { url: "", requests: [], busiest: 0 };
  let busy = 0;
  const listener = createServer(async (incoming, reply) => {
    busy += 1;
    server.busiest = Math.max(server.busiest, busy);
    const body = JSON.parse(await textOf(incoming)) as Asked;
    server.requests.push({ path: incoming.url ?? "", headers: incoming.headers, body });
    const value = await answer(body, server.requests.length, reply);
    busy -= 1;
    if (value !== undefined) reply.end(JSON.stringify(value));
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    listener.closeAllConnections();
    listener.close();
  });
  server.url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  return server;
}

/** Answers with a status and nothing that could be read as JSON. */
export function fails(reply: ServerResponse, status: number, headers: Record<string, string> = {}): undefined {
  reply.writeHead(status, headers);
  reply.end("no");
}

/** Options with pauses of a millisecond. */
export function endpointFor(url: string, path: string, changes: Partial<EndpointOptions> = {}): EndpointOptions {
  return {
    address: endpointAddress(url, "--teacher", { whole: path, last: path.split("/").at(-1) as string }),
    allowRemote: false,
    timeoutMs: 5000,
    patience: { attempts: 4, lateAttempts: 2, pauseMs: 1 },
    ...changes,
  };
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of incoming.setEncoding("utf8")) text += chunk as string;
  return text;
}
