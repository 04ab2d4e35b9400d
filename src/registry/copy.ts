// Copying a file while hashing it, so that the digest is that of the bytes written. Small, because both directions of the registry need it.
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

/** @returns sha256 (hex) and size of what was written to `target`, which must not exist. */
export async function copyHashing(source: string, target: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(createReadStream(source, { highWaterMark: 1 << 20 }), tap, createWriteStream(target, { flags: "wx" }));
  return { sha256: hash.digest("hex"), bytes };
}
