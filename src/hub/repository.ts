// Looks into a repository of the hub without bringing it here: the list of a commit, small files as text, pieces of large ones.
import { listFiles, modelInfo } from "@huggingface/hub";
import { type AccessOptions, callOptions, type HubAccess, openAccess, persistentFetch } from "./access.js";
import { hubFailure, refused } from "./failures.js";
import { fileHeaders, resolveAddress } from "./file-request.js";
import { firstBytes } from "./replies.js";

export interface RepositoryOptions extends AccessOptions {
  /** `owner/name`. */
  repo: string;
  /** Branch, tag or commit. */
  revision: string;
}

export interface Repository {
  /** Full commit that everything is read from. */
  sha: string;
  list(): Promise<{ path: string; size: number }[]>;
  text(path: string): Promise<string>;
  /** So many bytes from `offset`, fewer at the end of the file; null when the server gives no parts of files. */
  piece(path: string, offset: number, length: number): Promise<Uint8Array | null>;
}

/** @throws RerankTuneError HUB_UNAUTHORIZED, HUB_NOT_FOUND, DOWNLOAD_FAILED, also from what it returns. */
export async function openRepository(options: RepositoryOptions): Promise<Repository> {
  const { repo, revision, signal } = options;
  const access = await openAccess(options);
  const guarded = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw hubFailure(error, `${repo}@${revision}`, access.hubUrl, signal);
    }
  };
  const call = callOptions(access);
  const { sha } = await guarded(() => modelInfo({ name: repo, revision, additionalFields: ["sha"], ...call }));
  const request = (path: string, range?: string) => fetchFile(access, repo, sha, path, range);
  return {
    sha,
    list: () => guarded(() => listOf(repo, sha, call)),
    text: (path) => guarded(async () => await (await request(path)).text()),
    piece: (path, offset, length) =>
      guarded(async () => pieceOf(await request(path, `bytes=${offset}-${offset + length - 1}`), offset, length)),
  };
}

async function listOf(repo: string, revision: string, call: ReturnType<typeof callOptions>) {
  const files: { path: string; size: number }[] = [];
  for await (const { type, path, size, lfs } of listFiles({ repo, revision, recursive: true, ...call }))
    if (type === "file") files.push({ path, size: lfs?.size ?? size });
  return files;
}

/** A server that knows no ranges sends the whole file, which is right for its beginning only. */
async function pieceOf(reply: Response, offset: number, length: number): Promise<Uint8Array | null> {
  if (offset === 0 || reply.status === 206) return await firstBytes(reply, length);
  await reply.body?.cancel();
  return null;
}

async function fetchFile(
  access: HubAccess,
  repo: string,
  sha: string,
  path: string,
  range?: string,
): Promise<Response> {
  const headers = fileHeaders(access, range);
  const reply = await persistentFetch(access, resolveAddress(access, repo, sha, path), { headers });
  if (!reply.ok) throw refused(reply.status, `${path} of ${repo}@${sha.slice(0, 12)}`, access.hubUrl);
  return reply;
}
