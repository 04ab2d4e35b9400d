// A stand-in for the model hub on loopback: the calls of @huggingface/hub and file downloads, with faults on request.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { onTestFinished } from "vitest";

export const SHA = "0123456789abcdef0123456789abcdef01234567";

export interface FakeHub {
  url: string;
  /** `GET /path` of every request, in order. */
  requests: string[];
  /** Authorization headers that came in. */
  tokens: (string | undefined)[];
  /** Answers in place of the hub when it returns true. */
  fault?: (incoming: IncomingMessage, reply: ServerResponse) => boolean;
}

export interface FakeRepository {
  repo: string;
  files: Record<string, string | Buffer>;
  /** Paths kept in large-file storage; by default those ending in .safetensors. */
  large?: string[];
  /** Token without which it answers 401. */
  token?: string;
}

/** Starts a hub with one repository whose `main` is at SHA; it stops when the test ends. */
export async function startHub(repository: FakeRepository): Promise<FakeHub> {
  const hub: FakeHub = { url: "", requests: [], tokens: [] };
  const server = createServer((incoming, reply) => {
    hub.requests.push(`${incoming.method} ${incoming.url}`);
    hub.tokens.push(incoming.headers.authorization);
    if (hub.fault?.(incoming, reply) !== true) answer(repository, incoming, reply);
  });
  hub.url = await listen(server);
  return hub;
}

/** A proxy for http and for tunnels; it counts what passes. */
export async function startProxy(): Promise<{ url: string; passed: string[] }> {
  const passed: string[] = [];
  const server = createServer((incoming, reply) => {
    passed.push(incoming.url ?? "");
    const onward = request(incoming.url ?? "", { method: incoming.method, headers: incoming.headers }, (answered) => {
      reply.writeHead(answered.statusCode ?? 500, answered.headers);
      answered.pipe(reply);
    });
    incoming.pipe(onward);
  });
  server.on("connect", (incoming, client) => {
    passed.push(incoming.url ?? "");
    const [host, port] = (incoming.url ?? "").split(":");
    const onward = connect(Number(port), host, () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      onward.pipe(client).pipe(onward);
    });
    onward.on("error", () => client.destroy());
    client.on("error", () => onward.destroy());
  });
  return { url: await listen(server), passed };
}

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function answer(repository: FakeRepository, incoming: IncomingMessage, reply: ServerResponse): void {
  const { pathname } = new URL(incoming.url ?? "", "http://hub");
  if (repository.token !== undefined && incoming.headers.authorization !== `Bearer ${repository.token}`)
    return void refuse(reply, 401, "GatedRepo");
  if (pathname === `/api/models/${repository.repo}/revision/main`)
    return void json(reply, { _id: "1", id: repository.repo, sha: SHA, lastModified: "2026-01-01T00:00:00Z" });
  if (pathname === `/api/models/${repository.repo}/tree/${SHA}`)
    return void json(
      reply,
      Object.keys(repository.files).map((path) => entry(repository, path)),
    );
  const prefix = `/${repository.repo}/resolve/${SHA}/`;
  const content = pathname.startsWith(prefix)
    ? repository.files[decodeURIComponent(pathname.slice(prefix.length))]
    : undefined;
  if (content === undefined)
    return void refuse(reply, 404, pathname.includes("/revision/") ? "RevisionNotFound" : "EntryNotFound");
  send(incoming, reply, Buffer.from(content));
}

/** Sends bytes as the hub does: all of them, or from the start of the range that was asked for. */
export function send(incoming: IncomingMessage, reply: ServerResponse, bytes: Buffer): void {
  const start = Number(/^bytes=(\d+)-/.exec(incoming.headers.range ?? "")?.[1] ?? 0);
  const range = start > 0 ? { "Content-Range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {};
  reply.writeHead(start > 0 ? 206 : 200, { "Content-Length": bytes.length - start, ...range });
  reply.end(bytes.subarray(start));
}

function entry({ files, large }: FakeRepository, path: string): unknown {
  const bytes = Buffer.from(files[path] ?? "");
  const oid = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
  const isLarge = large?.includes(path) ?? path.endsWith(".safetensors");
  const lfs = { oid: createHash("sha256").update(bytes).digest("hex"), size: bytes.length, pointerSize: 130 };
  return { type: "file", path, size: bytes.length, oid, ...(isLarge ? { lfs } : {}) };
}

function json(reply: ServerResponse, value: unknown): void {
  reply.writeHead(200, { "Content-Type": "application/json" });
  reply.end(JSON.stringify(value));
}

function refuse(reply: ServerResponse, status: number, code: string): void {
  reply.writeHead(status, { "Content-Type": "application/json", "X-Error-Code": code });
  reply.end(JSON.stringify({ error: code }));
}
