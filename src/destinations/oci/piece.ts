// A piece of a file on its way out: streamed, so that memory stays flat, and given up when nothing moves for a while.
import { open } from "node:fs/promises";
import type { OciRepository } from "./client.js";

const BUFFER = 256 * 1024;
/** A registry may move a whole blob to its storage before it answers a PUT. */
const ANSWER_FACTOR = { PATCH: 1, PUT: 10 } as const;

export interface Piece {
  file: string;
  /** First byte, and the one behind the last. */
  start: number;
  end: number;
  /** Called with every count of bytes that left. */
  onSent(bytes: number): void;
}

/** One request, not tried again. Throws what fetch throws, and when nothing moved for long. */
export async function sendPiece(
  repository: OciRepository,
  method: "PATCH" | "PUT",
  url: string,
  piece: Piece | undefined,
): Promise<Response> {
  const { silenceMs } = repository.patience;
  const stalled = new AbortController();
  const giveUp = (): void => stalled.abort(new Error(`nothing moved for ${silenceMs / 1000} s`));
  let timer = setTimeout(giveUp, silenceMs);
  const moved = (isLast: boolean): void => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, silenceMs * (isLast ? ANSWER_FACTOR[method] : 1));
  };
  if (piece === undefined || piece.start === piece.end) moved(true);
  const length = piece === undefined ? 0 : piece.end - piece.start;
  const headers: Record<string, string> = {
    "Content-Type": "application/octet-stream",
    "Content-Length": String(length),
  };
  if (method === "PATCH" && piece !== undefined) headers["Content-Range"] = `${piece.start}-${piece.end - 1}`;
  const init = {
    method,
    headers,
    signal: AbortSignal.any([repository.signal, stalled.signal]),
    ...(piece === undefined || length === 0
      ? {}
      : { body: ReadableStream.from(bytesOf(piece, moved)), duplex: "half" }),
  };
  try {
    return await repository.fetch(url, init as RequestInit);
  } finally {
    clearTimeout(timer);
  }
}

async function* bytesOf(
  { file, start, end, onSent }: Piece,
  moved: (isLast: boolean) => void,
): AsyncGenerator<Uint8Array> {
  const handle = await open(file);
  try {
    for (let position = start; position < end; ) {
      const bytes = new Uint8Array(Math.min(BUFFER, end - position));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, position);
      if (bytesRead === 0) throw new Error(`${file} has fewer bytes than before`);
      position += bytesRead;
      onSent(bytesRead);
      moved(position >= end);
      yield bytes.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
