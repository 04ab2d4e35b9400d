// Large-file storage of the Hub: asks which objects it lacks, and sends those. What it has is never sent again (Git LFS batch API).
import { HubApiError } from "@huggingface/hub";
import type { FrozenBytes } from "./frozen-bytes.js";
import { HubUnreachable, type HubWriter, pauseAfter } from "./patient-fetch.js";
import { type Links, sendObject } from "./send-object.js";
import { runWorkers } from "./workers.js";
import { hundreds, json } from "./write-calls.js";

interface BatchObject {
  oid: string;
  actions?: Links;
  error?: { code: number; message: string };
}

/** Objects on the way at once; more would not fill a line better and would hold more parts in memory. */
const AT_ONCE = 3;
const LFS_TYPE = "application/vnd.git-lfs+json";

/**
 * Which of the objects the storage lacks, and where to send them.
 * @throws HubApiError when it refuses one, such as for a full quota: before a byte was sent.
 */
export async function missingObjects(
  hub: HubWriter,
  repo: string,
  files: readonly FrozenBytes[],
): Promise<Map<string, Links>> {
  const missing = new Map<string, Links>();
  for (const some of hundreds(files)) {
    const objects = some.map(({ sha256: oid, bytes: size }) => ({ oid, size }));
    // No "xet": the Hub then answers with plain addresses, which need no storage protocol of its own.
    const body = {
      operation: "upload",
      transfers: ["basic", "multipart"],
      hash_algo: "sha_256",
      ref: { name: "main" },
      objects,
    };
    const answer = await json<{ objects: BatchObject[] }>(hub, "POST", `/${repo}.git/info/lfs/objects/batch`, body, {
      type: LFS_TYPE,
      accept: LFS_TYPE,
    });
    for (const { oid, actions, error } of answer.objects) {
      if (error !== undefined) throw new HubApiError("", error.code, undefined, error.message);
      if (actions?.upload !== undefined) missing.set(oid, actions);
    }
  }
  return missing;
}

/**
 * Sends what the storage lacks, three files at once.
 * @param onBytes is told how many bytes of a file are on their way.
 * @returns bytes of the files that were sent.
 */
export async function sendMissing(
  hub: HubWriter,
  repo: string,
  files: readonly FrozenBytes[],
  missing: ReadonlyMap<string, Links>,
  onBytes: (path: string, bytes: number) => void,
): Promise<number> {
  const waiting = files.filter(({ sha256 }) => missing.has(sha256));
  let sent = 0;
  const stop = new AbortController();
  const guarded = { ...hub, signal: AbortSignal.any([hub.signal, stop.signal]) };
  const work = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const links = missing.get(file.sha256);
      if (links === undefined) continue;
      const bytes = await sendPatiently(guarded, repo, file, links, onBytes);
      sent += bytes;
    }
  };
  try {
    await runWorkers(AT_ONCE, work, () => stop.abort());
  } finally {
    stop.abort();
  }
  return sent;
}

/** After every failure the hub is asked again: the object may have arrived though its reply did not, and old links run out. */
async function sendPatiently(
  hub: HubWriter,
  repo: string,
  file: FrozenBytes,
  first: Links,
  onBytes: (path: string, bytes: number) => void,
): Promise<number> {
  let links: Links | undefined = first;
  for (let attempt = 1; ; attempt += 1) {
    const failed = await sendObject(hub, file, links, (bytes) => onBytes(file.path, bytes));
    if (failed === undefined) return file.bytes;
    if (failed.final || attempt >= hub.patience.attempts) throw failureOf(failed);
    await pauseAfter(hub, attempt, `${file.path}: ${failed.reason}`, failed.wait);
    links = (await missingObjects(hub, repo, [file])).get(file.sha256);
    if (links === undefined) return file.bytes;
  }
}

function failureOf({ status, reason }: { status?: number; reason: string }): Error {
  return status === undefined ? new HubUnreachable(reason) : new HubApiError("", status, undefined, reason);
}
