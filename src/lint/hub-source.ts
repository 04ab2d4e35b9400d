// A repository of the Hub as a folder to lint: its list, its small files, and pieces of its large ones by range requests. No weights come.
import { RerankTuneError } from "../errors.js";
import { isOffline } from "../hub/cache.js";
import { openRepository, type RepositoryOptions } from "../hub/repository.js";
import type { ReadAt } from "../model-folder/read-at.js";
import type { FileFacts } from "./facts.js";
import { Unread } from "./read-folder.js";
import type { FolderSource } from "./source.js";

/** Requests for pieces of one file: a graph of 24 layers has about 400 large tensors. */
const MOST_PIECES = 600;

/** `owner/name` or `owner/name@revision`, as the Hub allows them. */
export const HUB_ID = /^([\w][\w.-]*\/[\w][\w.-]*)(?:@([\w][\w./-]*))?$/;

/** @throws RerankTuneError those of the Hub: HUB_NOT_FOUND, HUB_UNAUTHORIZED, DOWNLOAD_FAILED. */
export async function hubSource(
  name: string,
  options: Omit<RepositoryOptions, "repo" | "revision">,
): Promise<FolderSource> {
  const [, repo = "", revision = "main"] = HUB_ID.exec(name) ?? [];
  if (isOffline()) throw offline(name);
  const repository = await openRepository({ ...options, repo, revision }).catch((error) => {
    throw reworded(error, name);
  });
  return {
    name,
    isHub: true,
    folder: "",
    list: async () => (await repository.list()).map(({ path, size }) => listed(path, size)),
    text: ({ path }) => repository.text(path),
    pieces: ({ path }, work) => work(counted((offset, length) => repository.piece(path, offset, length))),
  };
}

/** @throws Unread from the reader, where the server gives no piece or too many would be needed. */
function counted(piece: (offset: number, length: number) => Promise<Uint8Array | null>): ReadAt {
  let pieces = 0;
  return async (offset, length) => {
    pieces += 1;
    const bytes = pieces > MOST_PIECES ? null : await piece(offset, length);
    if (bytes === null) throw new Unread();
    return bytes;
  };
}

function offline(name: string): RerankTuneError {
  return new RerankTuneError({
    code: "DOWNLOAD_FAILED",
    message: `There is no folder ${name}, and the hub may not be asked (offline).`,
    hint: "name a folder, or unset RERANK_TUNE_OFFLINE and HF_HUB_OFFLINE",
  });
}

/** The hub's errors name the fields of a recipe, and here there is none. */
function reworded(error: unknown, name: string): unknown {
  if (!(error instanceof RerankTuneError) || !["HUB_NOT_FOUND", "DOWNLOAD_FAILED"].includes(error.code)) return error;
  const { code, message } = error;
  return new RerankTuneError({
    code,
    message: `There is no folder ${name}; as a repository: ${message}`,
    hint: "correct the name: a folder, or owner/name[@revision] of the Hub; behind a proxy or mirror check HTTPS_PROXY and HF_ENDPOINT",
    cause: error,
  });
}

/** @throws RerankTuneError USAGE: the Hub's files are not ours to write. */
export function refuseHubFix(name: string): never {
  throw new RerankTuneError({
    code: "USAGE",
    message: `--fix writes into a folder, and ${name} is a repository of the Hub.`,
    hint: `fetch it first, such as by \`hf download ${name.split("@")[0]} --local-dir MODEL\`, then \`rerank-tune lint MODEL --fix\``,
  });
}

function listed(path: string, size: number): FileFacts {
  return { path, size, isPointer: false, hardLinks: 1, linkedFolder: null, leaves: false, dangling: false };
}
