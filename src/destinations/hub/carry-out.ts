// Carries a plan out: repository, files, int8, main, and the tag at the very end. Every step can be repeated and finds what is done.
import { RerankTuneError } from "../../errors.js";
import type { StageEvent } from "../../events.js";
import { missingObjects, sendMissing } from "../../hub/large-files.js";
import type { HubWriter } from "../../hub/patient-fetch.js";
import { progressOf } from "../../hub/progress.js";
import { releaseFailure } from "../../hub/release-failures.js";
import {
  commitOf,
  createRepository,
  createTag,
  referencesOf,
  repositoryState,
  treeOf,
  type UploadMode,
  uploadModes,
} from "../../hub/write-calls.js";
import { readPart } from "../../model-folder/read-at.js";
import type { FrozenFile } from "../../registry/index.js";
import type { Release } from "../destination.js";
import { bringBranch, pauseToLook, reasonToLook } from "./bring-branch.js";
import { checkRelease } from "./check-release.js";
import { differenceOf, isEmptyDifference, type Leg } from "./legs.js";
import { bringNewVersion } from "./new-version.js";
import { refused, refuseVisibility } from "./survey.js";
import type { HubTarget } from "./target.js";

export interface Order {
  /** `--to` as it was written. */
  written: string;
  target: HubTarget;
  /** In the order of their commits; main is the last. */
  legs: readonly Leg[];
  exists: boolean;
  /** What the superseded repository's card becomes. */
  newCard?: string;
}

/** @throws RerankTuneError HUB_UNAUTHORIZED, RELEASE_FAILED, RELEASE_CONFLICT, RELEASE_REFUSED, CHECKSUM_MISMATCH, REGISTRY_CORRUPT. */
export async function carryOut(hub: HubWriter, order: Order, emit: (event: StageEvent) => void): Promise<Release> {
  const { target, legs } = order;
  const { repo } = target;
  const step = async <Result>(name: string, words: string, work: () => Promise<Result>): Promise<Result> => {
    emit({ type: "phase", name });
    try {
      return await work();
    } catch (error) {
      throw releaseFailure(error, hub, words);
    }
  };
  if (!order.exists) await step("create_repository", `creating ${repo}`, () => create(hub, target));
  const sent = await step("send_files", "sending the files", () => sendFiles(hub, repo, legs, emit));
  const plannedMain = legs.find(({ branch }) => branch === "main")?.planned;
  const revisions = new Map<Leg["branch"], string>();
  for (const leg of legs) {
    const { branch } = leg;
    const revision = await step(`commit_${branch}`, `committing to ${branch}`, () =>
      bringBranch(hub, repo, leg, plannedMain, sent.modes.get(branch) ?? new Map()),
    );
    revisions.set(branch, revision);
    await step(`check_${branch}`, `reading ${branch} back`, () => checkRelease(hub, repo, revision, leg));
    if (branch !== "main") await step(`tag_${branch}`, `tagging ${branch}`, () => bringTag(hub, repo, leg, revision));
  }
  const { newCard } = order;
  const main = legs.at(-1);
  const revision = revisions.get("main");
  if (main === undefined || revision === undefined) throw new Error("a release without a branch");
  await step("tag_main", "tagging the release", () => bringTag(hub, repo, main, revision));
  if (newCard !== undefined)
    await step("new_version", `pointing ${target.replaces} to it`, () => bringNewVersion(hub, target, newCard));
  return {
    target: order.written,
    version: main.version.version,
    address: `${hub.hubUrl}/${repo}/tree/${main.tag}`,
    revision,
    files: sent.files,
    bytes_sent: sent.bytes,
    use: commandsFor(repo, revision, revisions.get("int8")),
  };
}

/** Text Embeddings Inference opens the int8 graph on the branch that has it under the one name it knows. */
function commandsFor(repo: string, main: string, int8 = main): string[] {
  return [
    `hf download ${repo} --revision ${main}`,
    `text-embeddings-router --model-id ${repo} --revision ${int8}`,
    `python -c 'from sentence_transformers import CrossEncoder; CrossEncoder("${repo}", revision="${main}")'`,
  ];
}

/** One that is there already, from a run before or a reply that was lost, is taken as it is. */
async function create(hub: HubWriter, target: HubTarget): Promise<void> {
  let failure: unknown;
  try {
    await createRepository(hub, target.repo, target.public ? "public" : "private");
  } catch (error) {
    if (reasonToLook(error) === undefined) throw error;
    failure = error;
  }
  const state = await repositoryState(hub, target.repo);
  if (state === undefined && failure !== undefined) throw failure;
  if (state === undefined)
    throw refused(`${target.repo} was created, and the token may not see it.`, "check its rights");
  // An organization's policy can decide otherwise than was asked; better found before the first byte.
  refuseVisibility(target, state);
}

interface Sent {
  modes: Map<string, Map<string, UploadMode>>;
  files: number;
  bytes: number;
}

/** Everything large goes to storage first; whether there is room for it, storage says before the first byte. */
async function sendFiles(
  hub: HubWriter,
  repo: string,
  legs: readonly Leg[],
  emit: (event: StageEvent) => void,
): Promise<Sent> {
  const modes = new Map<string, Map<string, UploadMode>>();
  const large = new Map<string, FrozenFile>();
  const small: FrozenFile[] = [];
  const { branches } = await referencesOf(hub, repo);
  for (const { branch, version } of legs) {
    const head = branches.get(branch);
    const tree = head === undefined ? new Map() : await treeOf(hub, repo, head);
    const { send } = await differenceOf(tree, version.files);
    const asked = await Promise.all(send.map(sampled));
    const answered = await uploadModes(hub, repo, asked);
    modes.set(branch, answered);
    for (const file of send)
      if (answered.get(file.path) === "regular") small.push(file);
      else large.set(file.sha256, file);
  }
  const missing = await missingObjects(hub, repo, [...large.values()]);
  const leaving = [...large.values()].filter(({ sha256 }) => missing.has(sha256));
  const progress = leaving.length === 0 ? undefined : progressOf(leaving.map(remote), emit);
  const bytes = await sendMissing(hub, repo, leaving, missing, (path, count) => progress?.(path, count));
  const smallBytes = small.reduce((sum, file) => sum + file.bytes, 0);
  return { modes, files: leaving.length + small.length, bytes: bytes + smallBytes };
}

const remote = ({ path, bytes, sha256 }: FrozenFile) => ({
  path,
  size: bytes,
  digest: { algorithm: "sha256" as const, hex: sha256 },
});

/** The Hub looks at the first bytes of a file to tell text from data. */
const SAMPLE_BYTES = 512;

async function sampled({
  path,
  bytes: size,
  blob,
}: FrozenFile): Promise<{ path: string; size: number; sample: string }> {
  return { path, size, sample: (await readPart(blob, 0, SAMPLE_BYTES)).toString("base64") };
}

/** A tag that is there already must stand for these files: they are read, not believed. It never moves, also when main goes back. */
async function bringTag(hub: HubWriter, repo: string, { tag, version }: Leg, commit: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { tags } = await referencesOf(hub, repo);
    if (tags.has(tag)) {
      if ((await commitOf(hub, repo, tag)) === commit) return;
      const difference = await differenceOf(await treeOf(hub, repo, tag), version.files);
      if (isEmptyDifference(difference)) return;
      throw otherTag(repo, tag);
    }
    try {
      await createTag(hub, repo, tag, commit);
    } catch (error) {
      await pauseToLook(hub, attempt, error);
    }
  }
}

function otherTag(repo: string, tag: string): RerankTuneError {
  return new RerankTuneError({
    code: "RELEASE_CONFLICT",
    message: `The tag ${tag} of ${repo} stands for other files.`,
    hint: `somebody else made it meanwhile: look at it, then give this release another name: hub:${repo}@NAME`,
  });
}
