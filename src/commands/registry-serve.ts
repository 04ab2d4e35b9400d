// `registry serve`: runs the read-only server until Ctrl-C; every request is a line on stderr.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { RerankTuneError } from "../errors.js";
import { isLoopback, type RequestLog, startServer } from "../serve/index.js";
import { size } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { type CommandContext, registryFolder } from "./context.js";
import type { RegistryFlags } from "./local-registry.js";

export interface ServeFlags extends RegistryFlags {
  host: string;
  port: number;
  tokenFile?: string;
  org: string;
  rehash?: boolean;
}

/** Downloads under way may end within this time after Ctrl-C. */
const GRACE_MS = 10_000;

/** The token comes by file or variable, so that it stands in no list of processes. */
const TOKEN_VARIABLE = "RERANK_TUNE_SERVE_TOKEN";

/** Ends when it is told to stop, which is how a server ends: no failure. */
export async function serveRegistry(flags: ServeFlags, context: CommandContext): Promise<Renderable> {
  const { host, port, org, rehash = false } = flags;
  const token = await readToken(flags.tokenFile);
  if (token === undefined && !isLoopback(host))
    context.emit({
      type: "warning",
      message: `whoever reaches ${host} can read every model: set a token with --token-file or ${TOKEN_VARIABLE}`,
    });
  const log = (entry: RequestLog): void => context.emit(eventOf(entry));
  const root = registryFolder(flags);
  const secret = token === undefined ? {} : { token };
  const server = await startServer({ root, host, port, organization: org, rehash, log, ...secret });
  context.emit({ type: "note", message: `serving ${root} at ${server.url} (HF_ENDPOINT=${server.url}); Ctrl-C stops` });
  await stopped(context.signal);
  await server.stop(GRACE_MS);
  const { url, requests, bytes } = server;
  return {
    data: { url, requests, bytes },
    essential: url,
    text: () => `served ${requests} requests, ${size(bytes)} of files`,
  };
}

function eventOf({ method, path, status, bytes, milliseconds, failure }: RequestLog) {
  const sent = bytes === 0 ? "" : ` ${size(bytes)}`;
  const message = `${method} ${path} ${status}${sent} ${milliseconds} ms`;
  return failure === undefined
    ? ({ type: "note", message } as const)
    : ({ type: "warning", message: `${message}: ${failure}` } as const);
}

async function readToken(file: string | undefined): Promise<string | undefined> {
  const variable = process.env[TOKEN_VARIABLE];
  if (file === undefined && (variable === undefined || variable === "")) return undefined;
  const text =
    file === undefined
      ? (variable ?? "")
      : await readFile(resolve(file), "utf8").catch((error) => unreadable(file, error));
  const token = text.trim();
  if (/^[\x21-\x7e]{16,}$/.test(token)) return token;
  throw new RerankTuneError({
    code: "USAGE",
    message: "The token for readers has fewer than 16 characters, or others than printable ASCII without spaces.",
    hint: 'make one, such as `printf "hf_%s" "$(openssl rand -hex 24)" > token`; @huggingface/hub takes only tokens that begin with hf_',
  });
}

function unreadable(file: string, error: unknown): never {
  throw new RerankTuneError({
    code: "USAGE",
    message: `${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
    hint: "name the file that holds the token with --token-file",
    cause: error,
  });
}

async function stopped(signal: AbortSignal): Promise<void> {
  if (!signal.aborted)
    await new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));
}
