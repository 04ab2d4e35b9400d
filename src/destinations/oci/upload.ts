// One blob into an OCI registry: mounted, in one piece, or in chunks that go on after an interruption where the registry says it is (distribution specification, "Pushing blobs").
import { hashFile } from "../../artifacts/hash.js";
import { RerankTuneError } from "../../errors.js";
import { pause } from "../../hub/access.js";
import { retryAfter } from "../../hub/replies.js";
import { address, hasBlob, type OciRepository, request } from "./client.js";
import { failed, ociFailure, refused } from "./failures.js";
import type { UploadMemory } from "./memory.js";
import { sendPiece } from "./piece.js";

export interface OutgoingBlob {
  digest: string;
  size: number;
  /** Read-only file with its bytes. */
  file: string;
}

export interface UploadSettings {
  /** Bytes of a chunk; a smaller blob goes in one piece. */
  chunkBytes: number;
  memory: UploadMemory;
  /** Called with every count of bytes that left. */
  onSent(bytes: number): void;
}

interface Session {
  location: string;
  /** Bytes the registry has confirmed. */
  offset: number;
  /** Chunks below this size are refused by the registry. */
  leastChunk: number;
}

/** How a blob came to be there. */
export type Delivery = "present" | "mounted" | "sent";

/** @throws RerankTuneError OCI_FAILED, OCI_UNAUTHORIZED, REGISTRY_CORRUPT when the bytes here are not those of the digest. */
export async function sendBlob(
  repository: OciRepository,
  blob: OutgoingBlob,
  settings: UploadSettings,
): Promise<Delivery> {
  if (await hasBlob(repository, blob.digest, blob.size)) return "present";
  const { memory } = settings;
  const { patience, reference } = repository;
  let session = await rememberedSession(repository, blob, memory);
  let furthest = session?.offset ?? 0;
  for (let idle = 0; ; ) {
    session ??= await startSession(repository, blob, memory);
    if (session === undefined) return "mounted";
    const failure = await advance(repository, blob, session, settings);
    if (failure === undefined) {
      await memory.dropSession(reference.repository, blob.digest);
      return "sent";
    }
    if (failure.final || (failure.lost && (await isDamaged(blob))))
      throw await refusedOrFailed(repository, blob, failure);
    const left: Session = session;
    session = failure.lost ? undefined : await sessionAt(repository, blob, left);
    const offset: number = session?.offset ?? 0;
    // What an interrupted piece brought counts as progress only when the registry kept it.
    idle = offset > furthest ? 0 : idle + 1;
    furthest = Math.max(furthest, offset);
    if (idle >= patience.attempts) throw await refusedOrFailed(repository, blob, failure);
    await pause(repository, failure.waitMs ?? patience.pauseMs * 2 ** idle).catch(() => undefined); // stopped: the next request says so
    if (await hasBlob(repository, blob.digest, blob.size)) return "sent"; // the reply was lost, the blob was not
  }
}

interface Failure {
  reply?: Response;
  error?: unknown;
  /** The registry does not know the upload any more, or its bytes were wrong. */
  lost: boolean;
  /** Another try would give the same. */
  final?: boolean;
  waitMs?: number;
}

/** Sends until the blob is whole. @returns what stopped it; undefined when it is there. */
async function advance(
  repository: OciRepository,
  blob: OutgoingBlob,
  session: Session,
  settings: UploadSettings,
): Promise<Failure | undefined> {
  const { chunkBytes, memory, onSent } = settings;
  try {
    if (session.offset === 0 && blob.size <= Math.max(chunkBytes, session.leastChunk)) {
      const body = { file: blob.file, start: 0, end: blob.size, onSent };
      return await failureOf(await sendPiece(repository, "PUT", finishAddress(session, blob), body), 201);
    }
    while (session.offset < blob.size) {
      const end = Math.min(blob.size, session.offset + Math.max(chunkBytes, session.leastChunk));
      const reply = await sendPiece(repository, "PATCH", session.location, {
        file: blob.file,
        start: session.offset,
        end,
        onSent,
      });
      const failure = await failureOf(reply, 202);
      if (failure !== undefined) return failure;
      Object.assign(session, { location: locationOf(repository, reply), offset: confirmed(reply) ?? end });
      await memory.keepSession(repository.reference.repository, blob.digest, session.location);
    }
    const reply = await sendPiece(repository, "PUT", finishAddress(session, blob), undefined);
    return await failureOf(reply, 201);
  } catch (error) {
    if (repository.signal.aborted || error instanceof RerankTuneError)
      throw ociFailure(error, repository.shown, repository.signal);
    return { error, lost: false };
  }
}

async function failureOf(reply: Response, wanted: number): Promise<Failure | undefined> {
  const { status } = reply;
  if (status === wanted || (wanted === 201 && status === 204)) return void (await reply.body?.cancel());
  const waitMs = retryAfter(reply);
  return {
    reply,
    lost: [400, 404, 410].includes(status),
    final: [403, 405, 413].includes(status),
    ...(waitMs === undefined ? {} : { waitMs }),
  };
}

/** @returns undefined when the registry mounted the blob from a repository that has it. */
async function startSession(
  repository: OciRepository,
  blob: OutgoingBlob,
  memory: UploadMemory,
): Promise<Session | undefined> {
  const from = await memory.repositoryWith(blob.digest);
  const mount =
    from === undefined || from === repository.reference.repository ? "" : `?mount=${blob.digest}&from=${from}`;
  const reply = await request(repository, address(repository, `blobs/uploads/${mount}`), { method: "POST" });
  if (reply.status === 201 && mount !== "" && (await hasBlob(repository, blob.digest, blob.size))) return undefined;
  if (reply.status !== 202) throw await refused(reply, `an upload of ${blob.digest}`, repository.shown);
  await reply.body?.cancel();
  const leastChunk = Number(reply.headers.get("OCI-Chunk-Min-Length") ?? 0) || 0;
  const location = locationOf(repository, reply);
  await memory.keepSession(repository.reference.repository, blob.digest, location);
  return { location, offset: 0, leastChunk };
}

async function rememberedSession(
  repository: OciRepository,
  blob: OutgoingBlob,
  memory: UploadMemory,
): Promise<Session | undefined> {
  const location = await memory.session(repository.reference.repository, blob.digest);
  return location === undefined ? undefined : await sessionAt(repository, blob, { location, offset: 0, leastChunk: 0 });
}

/**
 * Where the registry says an upload stands. `0-0` is said of none and of one byte alike, so it begins anew.
 * @returns undefined when it is gone or does not say.
 */
async function sessionAt(
  repository: OciRepository,
  { size }: OutgoingBlob,
  { location, leastChunk }: Session,
): Promise<Session | undefined> {
  const reply = await request(repository, location);
  await reply.body?.cancel();
  const offset = reply.status === 204 ? (confirmed(reply) ?? 0) : 0;
  return offset > 1 && offset <= size
    ? { location: locationOf(repository, reply, location), offset, leastChunk }
    : undefined;
}

/** `Range: 0-<last byte>`. */
function confirmed(reply: Response): number | undefined {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(reply.headers.get("Range") ?? "")?.[1];
  return last === undefined ? undefined : Number(last) + 1;
}

/** May be relative (distribution specification, "Pushing a blob in chunks"). @throws RerankTuneError OCI_FAILED when there is none. */
function locationOf(repository: OciRepository, reply: Response, fallback?: string): string {
  const text = reply.headers.get("Location") ?? fallback;
  const { origin } = repository.reference;
  if (text !== undefined && URL.canParse(text, origin)) {
    const found = new URL(text, origin);
    // A registry behind a proxy that ends TLS may not know that it is reached by https.
    if (found.host === new URL(origin).host) found.protocol = new URL(origin).protocol;
    return found.href;
  }
  throw failed(
    `${repository.shown} opened an upload and did not say where`,
    "this is no registry of the OCI distribution specification",
  );
}

function finishAddress({ location }: Session, { digest }: OutgoingBlob): string {
  const finish = new URL(location);
  finish.searchParams.set("digest", digest);
  return finish.href;
}

/** The registry may be right that the bytes are wrong. */
async function refusedOrFailed(
  repository: OciRepository,
  blob: OutgoingBlob,
  { reply, error }: Failure,
): Promise<RerankTuneError> {
  if (await isDamaged(blob))
    return new RerankTuneError({
      code: "REGISTRY_CORRUPT",
      message: `Blob ${blob.digest} does not match its digest; it was not released.`,
      hint: "run `rerank-tune registry verify` for all damage, then publish the model again",
    });
  if (reply !== undefined) return await refused(reply, `the upload of ${blob.digest}`, repository.shown);
  return ociFailure(error, repository.shown, repository.signal);
}

async function isDamaged({ file, digest }: OutgoingBlob): Promise<boolean> {
  return `sha256:${await hashFile(file)}` !== digest;
}
