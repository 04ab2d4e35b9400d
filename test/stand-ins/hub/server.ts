// A stand-in for the Hugging Face Hub on loopback: the calls that write and read models, and its storage at another address.
// It is no Hub: test/integration/hub-stand-in.test.ts holds it against four clients that others wrote.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Fault, faulty } from "./faults.js";
import { routeHub } from "./hub-calls.js";
import { routeStorage } from "./storage-calls.js";
import { HubStore } from "./store.js";

export type Step =
  | "whoami"
  | "info"
  | "create"
  | "preupload"
  | "batch"
  | "put"
  | "part"
  | "complete"
  | "verify"
  | "commit"
  | "branch"
  | "tag"
  | "refs"
  | "tree"
  | "resolve"
  | "validate"
  | "token"
  | "other";

export interface Account {
  name: string;
  role: "read" | "write" | "fineGrained" | "admin";
  orgs?: { name: string; roleInOrg: string }[];
  scoped?: { entity: { type: string; name: string }; permissions: string[] }[];
}

export interface Call {
  step: Step;
  method: string;
  url: URL;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: Buffer | string | object;
}

export interface HubServer {
  url: string;
  storageUrl: string;
  store: HubStore;
  /** Token to account. */
  accounts: Map<string, Account>;
  /** Files above this size go to large-file storage whatever they are. */
  regularBytes: number;
  /** Objects above this size are asked for in parts of this size. */
  partBytes: number;
  /** Entries of a tree in one page. */
  pageEntries: number;
  /** Asked before every call is answered. */
  fault?: (call: Call) => Fault | undefined;
  /** Asked in place of the answer; for what only one test needs. */
  instead?: (call: Call) => Answer | undefined;
  /** Told of every piece of a body that arrives. */
  onPiece?: (url: URL, bytes: number) => void;
  calls: Call[];
  /** Every whole object or part that came: whether it was stored already. */
  arrived: { oid: string; bytes: number; again: boolean }[];
  /** Identity tokens that a trusted publisher may show, and the repository each is good for. */
  publishers: Map<string, string>;
  /** Open uploads in parts. */
  uploads: Map<string, { oid: string; size: number; parts: Map<number, Buffer> }>;
  close(): Promise<void>;
}

/** Starts it with one account, the token `hf_write...` of `acme-bot` in the organization `acme`. */
export async function startHubServer(): Promise<HubServer> {
  const hub: HubServer = {
    url: "",
    storageUrl: "",
    store: new HubStore(),
    accounts: new Map([[TOKEN, { name: "acme-bot", role: "write", orgs: [{ name: "acme", roleInOrg: "write" }] }]]),
    regularBytes: 10_000_000,
    partBytes: Number.POSITIVE_INFINITY,
    pageEntries: 1000,
    calls: [],
    arrived: [],
    publishers: new Map(),
    uploads: new Map(),
    close: async () => await Promise.all([hubSide, storage].map(stop)).then(() => undefined),
  };
  const hubSide = createServer((incoming, reply) => void serve(hub, routeHub, incoming, reply));
  const storage = createServer((incoming, reply) => void serve(hub, routeStorage, incoming, reply));
  hub.url = await listen(hubSide);
  // Another host by name, too: clients tell hosts apart by it and not by the port.
  hub.storageUrl = (await listen(storage)).replace("127.0.0.1", "localhost");
  return hub;
}

/** Long enough for a scan for secrets to know it. */
export const TOKEN = `hf_${"writeWRITE0123456789".repeat(2)}`;

export type Router = (hub: HubServer, call: Omit<Call, "step">) => { step: Step; answer: () => Answer };

async function serve(hub: HubServer, route: Router, incoming: IncomingMessage, reply: ServerResponse): Promise<void> {
  const url = new URL(incoming.url ?? "/", "http://stand-in");
  const pieces: Buffer[] = [];
  try {
    for await (const piece of incoming as AsyncIterable<Buffer>) {
      pieces.push(piece);
      hub.onPiece?.(url, piece.length);
    }
  } catch {
    return; // The client went away in the middle: nothing arrived.
  }
  const bare = { method: incoming.method ?? "", url, headers: incoming.headers, body: Buffer.concat(pieces) };
  const { step, answer } = route(hub, bare);
  const call = { ...bare, step };
  hub.calls.push(call);
  const fault = hub.fault?.(call);
  if (fault !== undefined) return faulty(fault, () => answer(), reply);
  send(reply, hub.instead?.(call) ?? answer(), incoming.method === "HEAD");
}

export function send(reply: ServerResponse, { status, headers = {}, body = "" }: Answer, head = false): void {
  const json = typeof body === "object" && !Buffer.isBuffer(body);
  const bytes = json ? Buffer.from(JSON.stringify(body)) : Buffer.from(body as string);
  const type: Record<string, string> = json ? { "Content-Type": "application/json; charset=utf-8" } : {};
  reply.writeHead(status, { "Content-Length": bytes.length, ...type, ...headers });
  reply.end(head ? undefined : bytes);
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
