// Reads `hub:org/name[@tag][,public][,overwrite][,replaces=org/old]`. No sign in it means anything to a shell. Pure.
import { RerankTuneError } from "../../errors.js";

export const FORM = "hub:org/name[@tag][,public][,overwrite][,replaces=org/old]";

export interface HubTarget {
  /** `org/name`. */
  repo: string;
  /** Given name of the release; by default made from the version's digest. */
  tag?: string;
  /** Private unless said. */
  public: boolean;
  /** Whether a repository that holds something else may become this model. */
  overwrite: boolean;
  /** Repository whose card shall point to this one. */
  replaces?: string;
}

/** Branches that this tool fills, and refs that the Hub keeps for itself, cannot be tags. */
const RESERVED = /^(main|int8|refs|pr|HEAD)$|^[0-9a-f]{40}$|\.\.|\.lock$|\.$/;

/** @throws RerankTuneError USAGE with what is wrong. */
export function readTarget(target: string): HubTarget {
  const [place = "", ...options] = target.slice("hub:".length).split(",");
  const [repo = "", tag, ...more] = place.split("@");
  if (more.length > 0) throw wrong(target, "names two tags");
  const problem = nameProblem(repo) ?? (tag === undefined ? undefined : tagProblem(tag));
  if (problem !== undefined) throw wrong(target, problem);
  const found: HubTarget = { repo, public: false, overwrite: false, ...(tag === undefined ? {} : { tag }) };
  for (const option of options) {
    if (option === "public") found.public = true;
    else if (option === "overwrite") found.overwrite = true;
    else if (option.startsWith("replaces=")) found.replaces = option.slice("replaces=".length);
    else throw wrong(target, `has the unknown part ${JSON.stringify(option)}`);
  }
  const old = found.replaces === undefined ? undefined : nameProblem(found.replaces);
  if (old !== undefined) throw wrong(target, `replaces a repository whose name ${old}`);
  if (found.replaces === repo) throw wrong(target, "replaces itself");
  return found;
}

/** The Hub's rules, as huggingface_hub's `validate_repo_id` has them; here both parts must be there. */
export function nameProblem(repo: string): string | undefined {
  const parts = repo.split("/");
  if (parts.length !== 2) return "is not of the form org/name";
  if (repo.length > 96) return `has ${repo.length} characters, and the hub takes 96`;
  if (!parts.every((part) => /^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?$/.test(part)))
    return "has other signs than letters, digits and . _ - inside";
  if (/--|\.\./.test(repo)) return "has -- or .. in it, which the hub keeps for itself";
  return /\.git$/i.test(repo) ? "ends in .git" : undefined;
}

function tagProblem(tag: string): string | undefined {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(tag)) return `has the tag ${JSON.stringify(tag)}, which is none`;
  return RESERVED.test(tag)
    ? `has the tag ${JSON.stringify(tag)}, which the hub or this tool keeps for itself`
    : undefined;
}

/** `v-` and the first 12 hex digits of the manifest's digest: the same version has the same tag everywhere. */
export function tagOf(digest: string): string {
  return `v-${digest.slice("sha256:".length, "sha256:".length + 12)}`;
}

function wrong(target: string, problem: string): RerankTuneError {
  return new RerankTuneError({
    code: "USAGE",
    message: `${JSON.stringify(target)} ${problem}.`,
    hint: `write --to ${FORM}, such as --to hub:my-org/my-reranker`,
  });
}
