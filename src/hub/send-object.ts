// Sends one file to the addresses that large-file storage named: in one piece or in parts, watched for silence.
import type { FrozenBytes } from "./frozen-bytes.js";
import { checkedParts, checkedPieces, PIECE } from "./frozen-bytes.js";
import { type HubWriter, patientFetch, reasonOf, stoppedRelease, withToken } from "./patient-fetch.js";
import { withoutSecrets } from "./redaction.js";
import { askedWait, replyClass } from "./reply-class.js";
import { runWorkers } from "./workers.js";

interface Link {
  href: string;
  header?: Record<string, string>;
}

/** What the batch call names for an object that the storage lacks. */
export interface Links {
  upload: Link;
  verify?: Link;
}

export interface SendFailure {
  status?: number;
  /** Without addresses: those of storage are signed. */
  reason: string;
  /** Another try cannot help. */
  final: boolean;
  /** Milliseconds that the storage asks to wait. */
  wait?: number;
}

/** Parts on the way at once; each is held in memory, usually 16 MiB. */
const PARTS_AT_ONCE = 3;
const TYPE = { "Content-Type": "application/vnd.git-lfs+json", Accept: "application/vnd.git-lfs+json" };

/**
 * One try of one file; parts have tries of their own.
 * @returns why it failed, or nothing.
 * @throws RerankTuneError REGISTRY_CORRUPT when the frozen bytes changed; INTERRUPTED.
 */
export async function sendObject(
  hub: HubWriter,
  file: FrozenBytes,
  links: Links,
  onBytes: (bytes: number) => void,
): Promise<SendFailure | undefined> {
  const partBytes = Number(links.upload.header?.chunk_size ?? Number.NaN);
  const failed = Number.isSafeInteger(partBytes)
    ? await sendParts(hub, file, links.upload, partBytes, onBytes)
    : await sendWhole(hub, file, links.upload, onBytes);
  if (failed !== undefined || links.verify === undefined) return failed;
  const { href, header } = links.verify;
  return await post(hub, href, { oid: file.sha256, size: file.bytes }, header);
}

async function sendWhole(
  hub: HubWriter,
  file: FrozenBytes,
  { href, header }: Link,
  onBytes: (bytes: number) => void,
): Promise<SendFailure | undefined> {
  let changed: unknown;
  const pieces = async function* (progress: () => void): AsyncGenerator<Buffer> {
    let count = 0;
    try {
      for await (const piece of checkedPieces(file)) {
        progress();
        yield piece;
        count += piece.length;
        onBytes(count);
      }
      progress();
    } catch (error) {
      changed = error;
      throw error;
    }
  };
  const put = await watched(hub, (signal, progress) => {
    const headers = withToken(hub, href, header);
    headers.set("Content-Length", String(file.bytes));
    const init = { method: "PUT", headers, body: pieces(progress), duplex: "half", signal };
    return hub.fetch(href, init as unknown as RequestInit);
  });
  if (changed !== undefined) throw changed;
  return "failed" in put ? put.failed : undefined;
}

async function sendParts(
  hub: HubWriter,
  file: FrozenBytes,
  { href, header = {} }: Link,
  partBytes: number,
  onBytes: (bytes: number) => void,
): Promise<SendFailure | undefined> {
  const numbers = Object.keys(header)
    .filter((key) => /^\d+$/.test(key))
    .sort((one, other) => Number(one) - Number(other));
  if (numbers.length !== Math.ceil(file.bytes / partBytes))
    return { reason: `storage named ${numbers.length} parts of ${partBytes} bytes`, final: true };
  const etags: string[] = [];
  const parts = checkedParts(file, partBytes);
  let failed: SendFailure | undefined;
  let at = 0;
  let arrived = 0;
  // One reader, so that the whole file is hashed in order; a part leaves when the one before it was read.
  let turn: Promise<unknown> = Promise.resolve();
  const take = (): Promise<{ part: Buffer; number: number } | undefined> => {
    const next = turn.then(async () => {
      const { value, done } = await parts.next();
      at += done === true ? 0 : 1;
      return done === true ? undefined : { part: value as Buffer, number: at };
    });
    turn = next.catch(() => undefined);
    return next;
  };
  const work = async (): Promise<void> => {
    for (let taken = await take(); taken !== undefined && failed === undefined; taken = await take()) {
      const { part, number } = taken;
      const put = await sendPart(hub, header[numbers[number - 1] ?? ""] ?? "", part);
      if (typeof put !== "string") {
        failed ??= put;
        return;
      }
      etags[number - 1] = put;
      arrived += part.length;
      onBytes(arrived);
    }
  };
  await runWorkers(PARTS_AT_ONCE, work).finally(() => parts.return(undefined));
  if (failed !== undefined) return failed;
  const complete = { oid: file.sha256, parts: etags.map((etag, index) => ({ partNumber: index + 1, etag })) };
  return await post(hub, href, complete);
}

function piecesOf(part: Buffer): Buffer[] {
  const count = Math.ceil(part.length / PIECE);
  return Array.from({ length: count }, (_, at) => part.subarray(at * PIECE, (at + 1) * PIECE));
}

/** @returns the part's ETag, or why it did not arrive. */
async function sendPart(hub: HubWriter, href: string, part: Buffer): Promise<string | SendFailure> {
  try {
    const reply = await patientFetch(hub, { pieces: piecesOf(part) })(href, { method: "PUT" });
    // Its tries are used up; only links that ran out are worth new ones.
    if (!reply.ok) return { ...(await refusal(reply)), final: replyClass(reply.status) !== "unauthorized" };
    return reply.headers.get("ETag") ?? { reason: "storage gave no ETag for a part", final: true };
  } catch (error) {
    if (hub.signal.aborted) throw error;
    return { reason: reasonOf(error), final: true };
  }
}

async function post(
  hub: HubWriter,
  href: string,
  body: object,
  headers?: Record<string, string>,
): Promise<SendFailure | undefined> {
  try {
    // Once: after a failure the batch call tells whether the object is there, which a second POST cannot.
    const send = patientFetch(hub, { once: true, slowness: 2 });
    const reply = await send(href, { method: "POST", body: JSON.stringify(body), headers: { ...headers, ...TYPE } });
    return reply.ok ? undefined : await refusal(reply);
  } catch (error) {
    if (hub.signal.aborted) throw error;
    return { reason: reasonOf(error), final: false };
  }
}

/** A request that may take hours, as long as bytes keep moving. */
async function watched(
  hub: HubWriter,
  send: (signal: AbortSignal, progress: () => void) => Promise<Response>,
): Promise<{ failed: SendFailure } | { reply: Response }> {
  const stalled = new AbortController();
  const { silenceMs } = hub.patience;
  const timer = setTimeout(() => stalled.abort(), silenceMs);
  try {
    const reply = await send(AbortSignal.any([hub.signal, stalled.signal]), () => timer.refresh());
    if (!reply.ok) return { failed: await refusal(reply) };
    await reply.arrayBuffer();
    return { reply };
  } catch (error) {
    if (hub.signal.aborted) throw stoppedRelease(hub.signal);
    const reason = stalled.signal.aborted ? `nothing moved for ${silenceMs / 1000} s` : reasonOf(error);
    return { failed: { reason, final: false } };
  } finally {
    clearTimeout(timer);
  }
}

async function refusal(reply: Response): Promise<SendFailure> {
  const { status, headers } = reply;
  const said = withoutSecrets((await reply.text()).slice(0, 500).replace(/<[^>]*>/g, " "));
  const kind = replyClass(status);
  const wait = askedWait(headers, Date.now());
  const final = kind === "too_large" || kind === "refused";
  return { status, reason: said === "" ? `status ${status}` : said, final, ...(wait === undefined ? {} : { wait }) };
}
