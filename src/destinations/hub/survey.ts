// Looks at what is there before anything is sent: the repository, its branches, tags and files, and what the token may do.
import { whoAmI } from "@huggingface/hub";
import { RerankTuneError } from "../../errors.js";
import type { HubWriter } from "../../hub/patient-fetch.js";
import {
  fileText,
  library,
  type References,
  type RepositoryState,
  referencesOf,
  repositoryState,
  type TreeFile,
  treeOf,
} from "../../hub/write-calls.js";
import { withNewVersion } from "./card-schema.js";
import { type Difference, differenceOf, isEmptyDifference, type Leg } from "./legs.js";
import { rightsOf } from "./rights.js";
import type { HubTarget } from "./target.js";

export interface Survey {
  exists: boolean;
  /** Files of each branch that is there. */
  trees: ReadonlyMap<string, ReadonlyMap<string, TreeFile>>;
  references: References;
  /** Who releases, and what else to know. */
  notes: string[];
}

/**
 * @param publisherOf the repository that a token without a person is for.
 * @throws RerankTuneError HUB_UNAUTHORIZED, RELEASE_REFUSED.
 */
export async function surveyOf(
  hub: HubWriter,
  target: HubTarget,
  publisherOf: string | undefined,
  legs: readonly Leg[],
): Promise<Survey> {
  const { repo } = target;
  const state = await repositoryState(hub, repo);
  const exists = state !== undefined;
  const notes =
    publisherOf === undefined ? await personalNotes(hub, repo, exists) : publisherNotes(publisherOf, target, exists);
  if (!exists) return { exists, trees: new Map(), references: { branches: new Map(), tags: new Set() }, notes };
  refuseVisibility(target, state);
  const references = await referencesOf(hub, repo);
  const trees = new Map<string, ReadonlyMap<string, TreeFile>>();
  for (const branch of ["main", "int8"]) {
    const head = references.branches.get(branch);
    if (head !== undefined) trees.set(branch, await treeOf(hub, repo, head));
  }
  refuseForeign(target, trees.get("main"));
  for (const leg of legs) if (references.tags.has(leg.tag)) await refuseOtherTag(hub, repo, leg);
  return { exists, trees, references, notes };
}

/** The old repository's card, and what it would become; undefined where it says so already. */
export async function supersededCard(hub: HubWriter, { replaces, repo }: HubTarget): Promise<string | undefined> {
  if (replaces === undefined) return undefined;
  const card = await fileText(hub, replaces, "main", "README.md");
  if (card === undefined) {
    throw refused(
      `${replaces} has no card that could point to ${repo}, or the token may not see it.`,
      "leave out ,replaces=",
    );
  }
  return withNewVersion(card, repo);
}

async function personalNotes(hub: HubWriter, repo: string, exists: boolean): Promise<string[]> {
  const { problem, notes } = rightsOf(await whoAmI(library(hub)), repo, exists);
  if (problem !== undefined) throw new RerankTuneError({ code: "HUB_UNAUTHORIZED", ...problem });
  return notes;
}

/** Its token is for one repository, which must be there: its settings name the publisher. */
function publisherNotes(publisherOf: string, { repo, replaces }: HubTarget, exists: boolean): string[] {
  const problem = (message: string, hint: string) => new RerankTuneError({ code: "HUB_UNAUTHORIZED", message, hint });
  if (publisherOf !== repo)
    throw problem(`HF_OIDC_RESOURCE is for ${publisherOf}, not for ${repo}.`, `set HF_OIDC_RESOURCE=${repo}`);
  if (!exists)
    throw problem(
      `${repo} does not exist, and a trusted publisher cannot make it.`,
      "make it first, with HF_TOKEN or by hand",
    );
  if (replaces !== undefined)
    throw problem(
      `A trusted publisher of ${repo} cannot write to ${replaces}.`,
      "leave out ,replaces= or use HF_TOKEN",
    );
  return [`as trusted publisher of ${repo}, with a token of this job`];
}

/** Nothing becomes public, or stays private, by accident. */
export function refuseVisibility({ repo, public: wanted }: HubTarget, state: RepositoryState): void {
  if (state.disabled === true) throw refused(`The hub has disabled ${repo}.`, "ask the hub's support");
  if (state.private === !wanted) return;
  throw state.private
    ? refused(
        `${repo} is private, and ,public was asked for.`,
        "make it public in its settings first, or leave out ,public",
      )
    : refused(`${repo} is public.`, `write --to hub:${repo},public when everybody may have this model`);
}

const WEIGHTS = /\.(safetensors|onnx|onnx_data|bin|pt|pth|ckpt|gguf|h5|msgpack)$/;

/** A slip of the hand must not turn another model's repository into this one. */
function refuseForeign({ repo, overwrite }: HubTarget, main: ReadonlyMap<string, TreeFile> = new Map()): void {
  const ours = main.has("rerank-tune.json");
  if (overwrite || ours || ![...main.keys()].some((path) => WEIGHTS.test(path))) return;
  throw refused(
    `${repo} holds a model that rerank-tune did not release.`,
    `check the name; to replace all of its files write --to hub:${repo},overwrite`,
  );
}

/** A tag is for ever: the same name for other files would be a lie to whoever pinned it. */
async function refuseOtherTag(hub: HubWriter, repo: string, { tag, version }: Leg): Promise<void> {
  const difference: Difference = await differenceOf(await treeOf(hub, repo, tag), version.files);
  if (!isEmptyDifference(difference))
    throw refused(
      `The tag ${tag} of ${repo} stands for other files.`,
      `give this release another name: hub:${repo}@NAME`,
    );
}

export function refused(message: string, hint: string): RerankTuneError {
  return new RerankTuneError({ code: "RELEASE_REFUSED", message, hint });
}
