// Looks at what arrived, before the release gets its name: every digest in the tree, and the last bytes of every large file.
import { RerankTuneError } from "../../errors.js";
import { resolveAddress } from "../../hub/file-request.js";
import { apiError, type HubWriter, patientFetch, pauseAfter } from "../../hub/patient-fetch.js";
import { treeOf } from "../../hub/write-calls.js";
import { readPart } from "../../model-folder/read-at.js";
import type { FrozenFile } from "../../registry/index.js";
import { isSame, type Leg } from "./legs.js";

/** Enough to tell weights from a pointer, a page or zeros; small enough to ask for every file. */
const TAIL_BYTES = 1024;

/**
 * @returns how many files were found to be right.
 * @throws RerankTuneError CHECKSUM_MISMATCH naming every file that is not what was sent.
 */
export async function checkRelease(hub: HubWriter, repo: string, commit: string, { version }: Leg): Promise<number> {
  const tree = await treeOf(hub, repo, commit);
  const wrong: { file: string; message: string }[] = [];
  for (const file of version.files) {
    const there = tree.get(file.path);
    if (there === undefined) wrong.push({ file: file.path, message: "is missing" });
    else if (!(await isSame(there, file))) wrong.push({ file: file.path, message: "has another digest" });
    else if (there.sha256 !== undefined) {
      const problem = await tailProblem(hub, repo, commit, file);
      if (problem !== undefined) wrong.push({ file: file.path, message: problem });
    }
  }
  if (wrong.length === 0) return version.files.length;
  throw new RerankTuneError({
    code: "CHECKSUM_MISMATCH",
    message: `${repo} does not hold what was sent: ${wrong.length} of ${version.files.length} files differ.`,
    hint: "the release has no tag, so nobody was told of it; delete the damaged files there and run the same command again",
    problems: wrong,
  });
}

/** A pointer to an object that is gone passes every check of the tree; only reading it shows that (huggingface_hub #3829). */
async function tailProblem(
  hub: HubWriter,
  repo: string,
  commit: string,
  file: FrozenFile,
): Promise<string | undefined> {
  const start = Math.max(0, file.bytes - TAIL_BYTES);
  const headers = { Range: `bytes=${start}-${file.bytes - 1}`, "Accept-Encoding": "identity" };
  for (let attempt = 1; ; attempt += 1) {
    const fetch = patientFetch(hub, { most: TAIL_BYTES });
    const reply = await fetch(resolveAddress(hub, repo, commit, file.path), { headers });
    const piece = Buffer.from(await reply.arrayBuffer());
    if (reply.status === 404 && attempt < hub.patience.attempts) {
      await pauseAfter(hub, attempt, `${file.path} cannot be read yet`);
      continue;
    }
    if (!reply.ok && reply.status !== 404 && reply.status !== 416) throw apiError(hub, reply, piece.toString());
    if (reply.status !== 206) return `cannot be read back (status ${reply.status})`;
    if (!(reply.headers.get("Content-Range") ?? "").endsWith(`/${file.bytes}`))
      return "has another size when it is read back";
    return piece.equals(await readPart(file.blob, start, file.bytes - start))
      ? undefined
      : "has other bytes when it is read back";
  }
}
