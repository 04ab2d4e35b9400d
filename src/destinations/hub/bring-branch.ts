// Brings a branch to a version with one commit, or finds that it is there: a commit whose reply was lost is recognised by its files.
import { HubApiError } from "@huggingface/hub";
import { RerankTuneError } from "../../errors.js";
import { checkedContent } from "../../hub/frozen-bytes.js";
import { HubUnreachable, type HubWriter, pauseAfter } from "../../hub/patient-fetch.js";
import { replyClass } from "../../hub/reply-class.js";
import { createBranchAt, referencesOf, sendCommit, treeOf, type UploadMode } from "../../hub/write-calls.js";
import type { FrozenFile } from "../../registry/index.js";
import { type Difference, differenceOf, isBlank, isEmptyDifference, type Leg } from "./legs.js";

/** @returns the commit of the branch that holds exactly the version's files. */
export async function bringBranch(
  hub: HubWriter,
  repo: string,
  leg: Leg,
  plannedMain: string | undefined,
  modes: ReadonlyMap<string, UploadMode>,
): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const head = await headOf(hub, repo, leg.branch);
    const tree = await treeOf(hub, repo, head);
    const difference = await differenceOf(tree, leg.version.files);
    if (isEmptyDifference(difference)) return head;
    const expected = leg.planned ?? plannedMain;
    if (expected === undefined ? !isBlank(tree) : head !== expected) throw moved(repo, leg);
    try {
      // With its parent named, a commit that comes late or twice is refused by the hub and never made twice.
      return await sendCommit(hub, repo, await commitOf(leg, head, difference, modes));
    } catch (error) {
      await pauseToLook(hub, attempt, error);
    }
  }
}

/** The branch's commit; a branch that is missing begins where main is. */
async function headOf(hub: HubWriter, repo: string, branch: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const { branches } = await referencesOf(hub, repo);
    const head = branches.get(branch);
    if (head !== undefined) return head;
    const main = branches.get("main");
    try {
      if (main === undefined) throw new HubUnreachable("the repository has no branch main yet");
      await createBranchAt(hub, repo, branch, main);
    } catch (error) {
      await pauseToLook(hub, attempt, error);
    }
  }
}

/** Whether the thing may have happened all the same, or somebody was quicker: then what is there decides. */
export function reasonToLook(error: unknown): string | undefined {
  if (error instanceof HubUnreachable) return error.message;
  if (!(error instanceof HubApiError)) return undefined;
  return ["passing", "conflict"].includes(replyClass(error.statusCode)) ? `status ${error.statusCode}` : undefined;
}

/** Waits before the next look at what is there. @throws what failed, where looking cannot help or was tried often enough. */
export async function pauseToLook(hub: HubWriter, attempt: number, error: unknown): Promise<void> {
  const reason = reasonToLook(error);
  if (reason === undefined || attempt >= hub.patience.attempts) throw error;
  await pauseAfter(hub, attempt, reason);
}

async function commitOf(
  { branch, tag, version }: Leg,
  parent: string,
  { send, remove }: Difference,
  modes: ReadonlyMap<string, UploadMode>,
): Promise<Parameters<typeof sendCommit>[2]> {
  const added = await Promise.all(send.map((file) => operationOf(file, modes.get(file.path) ?? "lfs")));
  const removed = remove.map((path) => ({ key: "deletedFile", value: { path } }));
  const description = `${version.digest}, released by rerank-tune`;
  return { branch, summary: `Release ${tag}`, description, parent, operations: [...added, ...removed] };
}

async function operationOf(file: FrozenFile, mode: UploadMode): Promise<object> {
  const { path, bytes: size, sha256: oid } = file;
  if (mode === "lfs") return { key: "lfsFile", value: { path, algo: "sha256", size, oid } };
  const content = (await checkedContent(file)).toString("base64");
  return { key: "file", value: { path, content, encoding: "base64" } };
}

function moved(repo: string, { branch }: Leg): RerankTuneError {
  return new RerankTuneError({
    code: "RELEASE_CONFLICT",
    message: `Somebody else changed branch ${branch} of ${repo} since the plan was made.`,
    hint: "look at what is there with --dry-run, then run the same command again; nothing of it was overwritten",
  });
}
