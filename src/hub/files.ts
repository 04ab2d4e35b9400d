// Which files of a repository make a base model. Only data formats are fetched: pickles and Python files can run code when loaded.
import { RerankTuneError } from "../errors.js";
import { MODEL_FILES } from "../model-folder/layout.js";
import { SHARD_NAME, shardNames } from "../model-folder/weight-names.js";

/** A file of one commit. */
export interface HubFile {
  path: string;
  size: number;
  /** Digest the bytes must have: sha256 of files in large-file storage, git's blob sha1 of small ones. */
  digest: { algorithm: "sha256" | "git-sha1"; hex: string };
}

export const { weights: WEIGHTS, weightsIndex: WEIGHTS_INDEX } = MODEL_FILES;
const REQUIRED = ["config.json", "tokenizer.json"];
const OPTIONAL = ["tokenizer_config.json", "special_tokens_map.json", "README.md", "LICENSE"];

/**
 * The files to fetch, small ones first; shards of the weights follow from the index.
 * @throws RerankTuneError MODEL_UNSUPPORTED when a file without which nothing works is missing.
 */
export function baseFiles(files: readonly HubFile[], repo: string): HubFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const missing = REQUIRED.find((path) => !byPath.has(path));
  if (missing !== undefined)
    throw unsupported(
      repo,
      `has no ${missing}`,
      "choose a base with a fast tokenizer, such as BAAI/bge-reranker-v2-m3",
    );
  const weights = byPath.get(WEIGHTS) ?? byPath.get(WEIGHTS_INDEX);
  if (weights === undefined) throw noWeights(files, repo);
  const small = [...REQUIRED, ...OPTIONAL].flatMap((path) => byPath.get(path) ?? []);
  return [...small, weights];
}

/**
 * The shards that a weights index names.
 * @throws RerankTuneError MODEL_UNSUPPORTED when the index names a file that is not a plain safetensors file of the repository.
 */
export function shardFiles(indexText: string, files: readonly HubFile[], repo: string): HubFile[] {
  const names = shardNames(JSON.parse(indexText)) ?? [];
  return names.map((name) => {
    const file = SHARD_NAME.test(name) ? files.find(({ path }) => path === name) : undefined;
    if (file === undefined)
      throw unsupported(
        repo,
        `has an index of weights that names ${JSON.stringify(name)}, which is not there`,
        "choose another revision with base_model.revision",
      );
    return file;
  });
}

function noWeights(files: readonly HubFile[], repo: string): RerankTuneError {
  const pickle = files.find(({ path }) => /\.(bin|pt|pth|ckpt|pkl)$/.test(path));
  if (pickle === undefined)
    return unsupported(repo, `has no ${WEIGHTS}`, "choose a repository that holds a PyTorch model");
  return unsupported(
    repo,
    `has its weights as a pickle only (${pickle.path}), which can run code when loaded, and no ${WEIGHTS}`,
    "give a revision with safetensors (often refs/pr/1) as base_model.revision, or convert it and name the folder with base_model.path",
  );
}

function unsupported(repo: string, what: string, hint: string): RerankTuneError {
  return new RerankTuneError({ code: "MODEL_UNSUPPORTED", message: `${repo} ${what}.`, hint });
}
