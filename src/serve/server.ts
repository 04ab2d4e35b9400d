// The server: listens, finds out what a request wants, answers or refuses, tells the log, and stops without cutting downloads short.
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { RerankTuneError } from "../errors.js";
import { checkOrganization } from "../registry/index.js";
import { isMeantForHere, mayRead } from "./access.js";
import { sendInfo, sendModels, sendPaths, sendRefs, sendTree } from "./api.js";
import { type Exchange, Refusal, sendJson, sendText } from "./exchange.js";
import { sendFile } from "./files.js";
import { Library } from "./library.js";
import { listen, stop } from "./listening.js";
import { sendHome, sendModelPage, sendRefusalPage, wantsPage } from "./page/index.js";
import { type Route, routeOf } from "./routes.js";

/** A connection on which nothing moves for so long is given up. */
const IDLE_MS = 120_000;

export interface RequestLog {
  method: string;
  /** Without the query, which may hold what is nobody's business; other characters than printable ASCII are replaced. */
  path: string;
  status: number;
  /** Of a file. */
  bytes: number;
  milliseconds: number;
  /** What went wrong inside, for 5xx. */
  failure?: string;
}

export interface ServeOptions {
  /** Folder of the registry. */
  root: string;
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Readers must send it when given. */
  token?: string;
  organization: string;
  /** Hash a file before it is first sent. */
  rehash?: boolean;
  log(entry: RequestLog): void;
}

export interface RunningServer {
  /** `http://host:port`, without a slash at the end: TEI's client puts one there itself. */
  url: string;
  readonly requests: number;
  readonly bytes: number;
  /** Takes no new requests; downloads under way have `graceMs` to end. */
  stop(graceMs: number): Promise<void>;
}

/** @throws RerankTuneError REGISTRY_NOT_FOUND, REGISTRY_CORRUPT; USAGE when the address cannot be listened on. */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  checkOrganization(options.organization);
  const library = await Library.open(options.root, options.organization, options.rehash ?? false);
  const counts = { requests: 0, bytes: 0 };
  const underWay = new Set<Promise<void>>();
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    const exchange: Exchange = { request, response, url: new URL("http://localhost"), bytes: 0 };
    const handled = handle(library, options, exchange).then((entry) => {
      counts.requests += 1;
      counts.bytes += entry.bytes;
      options.log(entry);
      underWay.delete(handled);
    });
    underWay.add(handled);
  });
  server.setTimeout(IDLE_MS);
  await listen(server, options.host, options.port);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    get requests() {
      return counts.requests;
    },
    get bytes() {
      return counts.bytes;
    },
    stop: async (graceMs) => {
      await stop(server, graceMs);
      await Promise.all(underWay);
    },
  };
}

/** Answers one request, to the end of its reply. Never fails: what went wrong is in the log entry. */
async function handle(library: Library, options: ServeOptions, exchange: Exchange): Promise<RequestLog> {
  const { request, response } = exchange;
  const started = performance.now();
  const closed = new Promise<void>((resolve) => response.once("close", resolve));
  let failure: string | undefined;
  try {
    await answer(library, options, exchange);
  } catch (error) {
    if (!(error instanceof Refusal) || error.status >= 500) failure = (error as Error).message;
    refuse(exchange, error);
  }
  await closed;
  return {
    method: request.method ?? "",
    path: shownPath(request),
    status: response.statusCode,
    bytes: exchange.bytes,
    milliseconds: Math.round(performance.now() - started),
    ...(failure === undefined ? {} : { failure }),
  };
}

async function answer(library: Library, options: ServeOptions, exchange: Exchange): Promise<void> {
  const { request } = exchange;
  exchange.url = targetOf(request);
  const route = routeOf(exchange.url.pathname, options.organization);
  if (!isMeantForHere(request, options.host, options.token))
    throw new Refusal(421, "This server on loopback answers to localhost only; set a token to serve other names.");
  if (route.kind === "health") return sendText(exchange, 200, "text/plain; charset=utf-8", "ok\n");
  if (!mayRead(request, options.token)) throw unauthorized(exchange);
  const allowed = route.kind === "paths" ? ["POST"] : ["GET", "HEAD"];
  if (!allowed.includes(request.method ?? ""))
    throw new Refusal(405, "This server only reads.", { Allow: allowed.join(", "), Connection: "close" });
  await carryOut(library, exchange, route);
}

async function carryOut(library: Library, exchange: Exchange, route: Route): Promise<void> {
  if (route.kind === "home") return await sendHome(library, exchange);
  if (route.kind === "models") return await sendModels(library, exchange);
  if (route.kind === "whoami") return sendJson(exchange, READER);
  if (route.kind === "unknown" || route.kind === "health") throw new Refusal(404, "There is nothing here.");
  if (route.kind === "refs") return await sendRefs(library, exchange, route.model);
  if (route.kind === "page") return await sendModelPage(library, exchange, route.model, route.revision);
  const version = await library.version(route.model, route.revision);
  if (route.kind === "file") return await sendFile(library, exchange, version, route.path, route.revision);
  if (route.kind === "tree") return await sendTree(library, exchange, version, route.path);
  if (route.kind === "paths") return await sendPaths(library, exchange, version);
  return await sendInfo(library, exchange, version);
}

/** Whoever gets so far may read, and nothing else. */
const READER = {
  type: "user",
  id: "reader",
  name: "reader",
  fullname: "reader",
  isPro: false,
  orgs: [],
  auth: { type: "access_token", accessToken: { displayName: "registry serve", role: "read" } },
};

function unauthorized(exchange: Exchange): Refusal {
  const scheme = wantsPage(exchange) ? "Basic" : "Bearer";
  return new Refusal(401, "This registry wants a token.", { "WWW-Authenticate": `${scheme} realm="registry"` });
}

function refuse(exchange: Exchange, error: unknown): void {
  const { response } = exchange;
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { status, message, headers } = error instanceof Refusal ? error : inner(error);
  try {
    const json = JSON.stringify({ error: message });
    if (wantsPage(exchange)) sendRefusalPage(exchange, status, message, headers);
    else sendText(exchange, status, "application/json; charset=utf-8", json, headers);
  } catch {
    response.destroy();
  }
}

/** A damaged registry says so; of anything else only the log gets to know. */
function inner(error: unknown): Refusal {
  const known = error instanceof RerankTuneError ? error : undefined;
  return known?.code === "REGISTRY_CORRUPT"
    ? new Refusal(500, "The registry is damaged there; run `rerank-tune registry verify`.")
    : new Refusal(500, "The server failed; its log says why.");
}

function targetOf({ url = "/" }: IncomingMessage): URL {
  try {
    // A path with two slashes in front would be read as another host.
    return new URL(`http://localhost/${url.replace(/^\/+/, "")}`);
  } catch {
    throw new Refusal(400, "The address of the request cannot be read.");
  }
}

const shownPath = ({ url = "" }: IncomingMessage): string =>
  (url.split("?", 1)[0] ?? "").replace(/[^\x21-\x7e]/g, "?").slice(0, 300);
