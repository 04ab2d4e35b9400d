// What every caller over HTTP asks of a reply, or of its absence: how long to wait, its first bytes, why none came.

/** Milliseconds that `Retry-After` asks to wait, where it is in seconds; undefined for anything else. */
export function retryAfter(reply: Response): number | undefined {
  const seconds = Number(reply.headers.get("Retry-After") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

/** A server may send more than was asked for, up to a whole file of gigabytes: the rest is left on the wire. */
export async function firstBytes(reply: Response, most: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let count = 0;
  for await (const piece of reply.body ?? []) {
    pieces.push(piece);
    count += piece.length;
    if (count >= most) break;
  }
  return Buffer.concat(pieces).subarray(0, most);
}

/** Other TypeErrors are undici's, or come of a reply that holds something else than it should. */
function isOurMistake(error: unknown): boolean {
  return error instanceof ReferenceError || (error instanceof TypeError && /is not a function$/.test(error.message));
}

/**
 * Why a request got no reply: undici puts it into causes. A mistake of ours is no reason: it is thrown as it is.
 * @param otherwise for a failure without a cause.
 */
export function networkReason(error: unknown, otherwise = (error as Error).message): string {
  if (isOurMistake(error)) throw error;
  const { cause } = error as { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? otherwise;
}
