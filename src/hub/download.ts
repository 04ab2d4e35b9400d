// Fetching one file, resumed where an earlier try stopped and believed only when its digest is right. Knows no server's addresses.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fromFileSystemError, RerankTuneError } from "../errors.js";
import { type HubAccess, pause, persistentFetch } from "./access.js";
import { stopped } from "./failures.js";
import { fileHeaders } from "./file-request.js";

/** What must arrive. */
export interface RemoteFile {
  /** Its name in messages and, for a hub, its place. */
  path: string;
  size: number;
  /** Digest the bytes must have, in hex; `git-sha1` is git's name of a blob. */
  digest: { algorithm: "sha256" | "sha512" | "git-sha1"; hex: string };
}

export interface Download {
  access: Pick<HubAccess, "fetch" | "signal" | "patience" | "token">;
  /** What the file is of, for messages: `owner/name@commit`, or a package. */
  subject: string;
  address(path: string): string;
  /** The error for a reply that is no success. */
  refused(status: number, subject: string): RerankTuneError;
  /** Settings that decide where bytes come from, for hints. */
  settings: string;
  /** Called with how many bytes of a file are here. */
  onProgress(path: string, bytes: number): void;
}

/**
 * Brings `file` to `target`; a whole file that lies there already is checked and kept.
 * @throws RerankTuneError CHECKSUM_MISMATCH when the bytes are wrong twice; DOWNLOAD_FAILED, HUB_NOT_FOUND, HUB_UNAUTHORIZED.
 */
export async function downloadFile(download: Download, file: RemoteFile, target: string): Promise<void> {
  if (await isSound(target, file)) return download.onProgress(file.path, file.size);
  const part = `${target}.part`;
  await mkdir(dirname(target), { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    await fillPart(download, file, part);
    if (await isSound(part, file)) return await rename(part, target);
    // The wrong bytes may stem from an earlier run; a second try starts from nothing.
    const found = await digestOf(part, file);
    await rm(part, { force: true });
    if (attempt === 2) throw mismatch(download, file, found);
  }
}

/** Bytes that `downloadFile` still has to bring, by what lies at the target or beside it from an earlier try. */
export async function bytesLeft(target: string, size: number): Promise<number> {
  if ((await stat(target).catch(() => undefined))?.size === size) return 0;
  return Math.max(0, size - (await sizeOf(`${target}.part`)));
}

/** Appends until the file has its size. Gives up after several tries that brought nothing. */
async function fillPart(download: Download, file: RemoteFile, part: string): Promise<void> {
  const { access } = download;
  let idle = 0;
  for (;;) {
    const before = await sizeOf(part);
    if (before === file.size) return;
    if (before > file.size) await rm(part, { force: true });
    const failure = await receive(download, file, part).catch((error: unknown) => error);
    if (failure instanceof RerankTuneError) throw failure;
    // What the network fails with has no code of its own, so a code is the disk's; no other try would help.
    const disk = fromFileSystemError(failure, part);
    if (disk !== undefined) throw disk;
    if (access.signal.aborted) throw stopped(access.signal);
    const after = await sizeOf(part);
    if (after === file.size) return;
    idle = after > before ? 0 : idle + 1;
    if (idle >= access.patience.attempts) throw cutOff(download, file, after, failure);
    await pause(access, access.patience.pauseMs * 2 ** idle).catch(() => undefined); // stopped: the next round says so
  }
}

/** One request for what is missing, written as it comes. */
async function receive(download: Download, file: RemoteFile, part: string): Promise<void> {
  const { access } = download;
  const start = await sizeOf(part);
  const silence = new AbortController();
  const headers = fileHeaders(access, start > 0 ? `bytes=${start}-` : undefined);
  const reply = await persistentFetch(access, download.address(file.path), { headers, signal: silence.signal });
  if (!reply.ok || reply.body === null) throw download.refused(reply.status, `${file.path} of ${download.subject}`);
  const resumes = start > 0 && reply.status === 206;
  const output = await open(part, resumes ? "a" : "w");
  let left = file.size - (resumes ? start : 0);
  try {
    for await (const chunk of audible(reply.body, silence, access.patience.silenceMs)) {
      left -= chunk.length;
      if (left < 0) throw mismatch(download, file, `more than ${file.size} bytes`);
      await output.write(chunk);
      download.onProgress(file.path, file.size - left);
    }
  } finally {
    await output.close();
  }
}

/** The pieces of a reply; a pause longer than `silenceMs` ends it. */
async function* audible(
  body: ReadableStream<Uint8Array>,
  silence: AbortController,
  silenceMs: number,
): AsyncGenerator<Uint8Array> {
  const listen = (): NodeJS.Timeout =>
    setTimeout(() => silence.abort(new Error(`nothing arrived for ${silenceMs / 1000} s`)), silenceMs);
  let timer = listen();
  try {
    for await (const chunk of body) {
      clearTimeout(timer);
      yield chunk;
      timer = listen();
    }
  } finally {
    clearTimeout(timer);
  }
}

async function isSound(path: string, file: RemoteFile): Promise<boolean> {
  return (await sizeOf(path)) === file.size && (await digestOf(path, file)) === file.digest.hex;
}

/** Git names a small file by the sha1 of a header with its size, and its bytes. */
async function digestOf(path: string, file: RemoteFile): Promise<string> {
  const hash = createHash(file.digest.algorithm === "git-sha1" ? "sha1" : file.digest.algorithm);
  if (file.digest.algorithm === "git-sha1") hash.update(`blob ${await sizeOf(path)}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** 0 when there is no file. */
async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

function mismatch({ subject, settings }: Download, file: RemoteFile, found: string): RerankTuneError {
  return new RerankTuneError({
    code: "CHECKSUM_MISMATCH",
    message: `${file.path} of ${subject} came as ${found}, its source lists ${file.digest.algorithm} ${file.digest.hex}.`,
    hint: `a proxy or mirror may change files: check ${settings}, then run the same command again`,
  });
}

function cutOff({ subject, access }: Download, file: RemoteFile, size: number, failure: unknown): RerankTuneError {
  const reason =
    failure instanceof Error
      ? ((failure.cause as { code?: string } | undefined)?.code ?? failure.message)
      : "the connection ended early";
  return new RerankTuneError({
    code: "DOWNLOAD_FAILED",
    message: `${file.path} of ${subject} stopped at ${size} of ${file.size} bytes after ${access.patience.attempts} tries: ${reason}.`,
    hint: "run the same command again: it goes on where it stopped",
    cause: failure,
  });
}
